interface PathRule {
  readonly segments: readonly string[];
  /** May begin anywhere, not only at a root. */
  readonly floating: boolean;
}

/** A rule of which `met` segments have been met on the way down. */
interface Standing {
  readonly rule: PathRule;
  readonly met: number;
}

/** Dot paths with `*` for one segment; a leading `*.` begins at any depth. Array indexes are segments. */
export class PathRules {
  readonly rules: readonly PathRule[];

  constructor(paths: readonly string[]) {
    this.rules = paths.map((path) => {
      const segments = path.split('.');
      const floating = segments.length > 1 && segments[0] === '*';
      return { segments: floating ? segments.slice(1) : segments, floating };
    });
  }

  /** Where a value stands that is found at each of these roots. A path also holds directly below a root: `card.number` in `properties`. */
  at(...roots: readonly (readonly string[])[]): PathPosition {
    const begin = this.rules.map((rule) => ({ rule, met: 0 }));
    const reached = roots.flatMap((root) => {
      let position = new PathPosition(this.rules, begin);
      for (const segment of root) position = position.step(segment);
      return position.standings;
    });
    return new PathPosition(this.rules, [...reached, ...begin]);
  }
}

/** Where a walk through a value stands among the rules. */
export class PathPosition {
  /** True at and below what a rule names. */
  readonly matched: boolean;
  readonly standings: readonly Standing[];
  private readonly rules: readonly PathRule[];

  constructor(rules: readonly PathRule[], standings: readonly Standing[]) {
    this.rules = rules;
    this.standings = standings;
    this.matched = standings.some(({ rule, met }) => met === rule.segments.length);
  }

  /** One step down. A key with dots in it (`card.number`) is one segment and several, whichever a rule means. */
  step(segment: string): PathPosition {
    if (this.matched || this.rules.length === 0) return this;
    const whole = this.advance(segment);
    return segment.includes('.')
      ? whole.or(segment.split('.').reduce((position, part) => position.advance(part), this as PathPosition))
      : whole;
  }

  /** A value that stands in two places, since a record repeats it. */
  or(other: PathPosition): PathPosition {
    return new PathPosition(this.rules, [...this.standings, ...other.standings]);
  }

  private advance(segment: string): PathPosition {
    if (this.matched) return this;
    const beginning = this.rules.filter((rule) => rule.floating).map((rule) => ({ rule, met: 0 }));
    const standings = [...this.standings, ...beginning]
      .filter(({ rule, met }) => rule.segments[met] === '*' || rule.segments[met] === segment)
      .map(({ rule, met }) => ({ rule, met: met + 1 }));
    return new PathPosition(this.rules, standings);
  }
}
