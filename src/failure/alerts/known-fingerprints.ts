/** Fingerprints remembered; then it begins anew, and each costs one look at the store again. */
const mostRemembered = 10_000;
/** Fingerprints noted between two looks; what is left out is noted when it fails again. */
const mostNoted = 1_000;

/**
 * Which failure groups this process knows not to be new, so that it asks the store about each once, and not at each of
 * its failures.
 */
export class KnownFingerprints {
  private readonly old = new Set<string>();
  private noted = new Set<string>();

  isOld(fingerprint: string): boolean {
    return this.old.has(fingerprint);
  }

  /** It failed, and the store is about to be asked. */
  note(fingerprint: string): void {
    if (this.noted.size < mostNoted) this.noted.add(fingerprint);
  }

  /** What was noted so far; whatever is noted from now on is for the next look. */
  take(): ReadonlySet<string> {
    const taken = this.noted;
    this.noted = new Set();
    return taken;
  }

  /** Of these the store said that only `fresh` are new. */
  learn(asked: ReadonlySet<string>, fresh: ReadonlySet<string>): void {
    if (this.old.size > mostRemembered) this.old.clear();
    for (const fingerprint of asked) if (!fresh.has(fingerprint)) this.old.add(fingerprint);
  }
}
