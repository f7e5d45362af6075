/** What stands for every name beyond the bound. */
export const otherName = 'other';

/**
 * The first `limit` names keep their own; all later ones become `other`. A label of a metric costs memory, here and in
 * the database that scrapes it, for every value it ever had: names that come from outside must not be without number.
 */
export class BoundedNames {
  private readonly names = new Set<string>();

  constructor(private readonly limit: number) {}

  /** The name itself, or `other`. */
  of(name: string): string {
    return this.admits(name) ? name : otherName;
  }

  /** Whether the name has, or gets, a place of its own. */
  admits(name: string): boolean {
    if (this.names.has(name)) return true;
    if (this.names.size >= this.limit) return false;
    this.names.add(name);
    return true;
  }
}
