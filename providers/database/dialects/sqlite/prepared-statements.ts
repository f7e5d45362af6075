import type { Statement as Prepared } from 'better-sqlite3';

/** Statements of one generation. A program has far fewer texts that come back; lists of different lengths make texts of their own. */
const generationSize = 500;

/**
 * Prepared statements by their text: those used of late, at most two generations of them. A full generation takes the place of the
 * older one, and what is used of that is taken over. So nothing has to be noted at each use, as it would be to know the oldest.
 */
export class PreparedStatements {
  private recent = new Map<string, Prepared>();
  private older = new Map<string, Prepared>();

  constructor(
    private readonly prepare: (sql: string) => Prepared,
    private readonly most = generationSize,
  ) {}

  get(sql: string): Prepared {
    const known = this.recent.get(sql);
    if (known !== undefined) return known;
    const statement = this.older.get(sql) ?? this.prepare(sql);
    if (this.recent.size >= this.most) {
      this.older = this.recent;
      this.recent = new Map();
    }
    this.recent.set(sql, statement);
    return statement;
  }

  /** How many are kept. */
  get size(): number {
    return this.recent.size + this.older.size;
  }

  clear(): void {
    this.recent.clear();
    this.older.clear();
  }
}
