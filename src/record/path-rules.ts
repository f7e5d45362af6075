/** A rule of which `met` segments have been met on the way down. */
interface Standing {
  readonly segments: readonly string[];
  readonly met: number;
}

/** Dot paths with `*` for one segment; a leading `*.` begins at any depth. Array indexes are segments. */
export class PathRules {
  private readonly beginnings: readonly Standing[];
  /** Those of rules that may begin at any depth. */
  private readonly floating: readonly Standing[];

  constructor(paths: readonly string[]) {
    const floatingPaths = paths.filter((path) => path.startsWith('*.')).map((path) => path.slice(2));
    this.floating = floatingPaths.map(beginningOf);
    this.beginnings = [...this.floating, ...paths.filter((path) => !path.startsWith('*.')).map(beginningOf)];
  }

  /** Where a value stands that is found at each of these roots. A path also holds directly below a root: `card.number` in `properties`. */
  at(...roots: readonly (readonly string[])[]): PathPosition {
    const begin = new PathPosition(this.beginnings, this.floating);
    return roots.reduce((position, root) => position.or(root.reduce((at, segment) => at.step(segment), begin)), begin);
  }
}

/** Where a walk through a value stands among the rules. */
export class PathPosition {
  /** True at and below what a rule names. */
  readonly matched: boolean;
  private readonly standings: readonly Standing[];
  private readonly floating: readonly Standing[];

  constructor(standings: readonly Standing[], floating: readonly Standing[]) {
    this.standings = standings;
    this.floating = floating;
    this.matched = standings.some(({ segments, met }) => met === segments.length);
  }

  /** One step down. A key with dots in it (`card.number`) is one segment and several, whichever a rule means. */
  step(segment: string): PathPosition {
    const whole = this.advance(segment);
    return segment.includes('.')
      ? whole.or(segment.split('.').reduce((position, part) => position.advance(part), this as PathPosition))
      : whole;
  }

  /** A value that stands in two places, since a record repeats it. */
  or(other: PathPosition): PathPosition {
    return new PathPosition([...this.standings, ...other.standings], this.floating);
  }

  private advance(segment: string): PathPosition {
    if (this.matched || (this.standings.length === 0 && this.floating.length === 0)) return this;
    const next: Standing[] = [];
    for (const standing of this.standings) addMet(standing, segment, next);
    for (const beginning of this.floating) addMet(beginning, segment, next);
    return new PathPosition(next, this.floating);
  }
}

function beginningOf(path: string): Standing {
  return { segments: path.split('.'), met: 0 };
}

function addMet({ segments, met }: Standing, segment: string, to: Standing[]): void {
  const wanted = segments[met];
  if (wanted === '*' || wanted === segment) to.push({ segments, met: met + 1 });
}
