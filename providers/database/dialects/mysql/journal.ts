import type { StatementResult } from '../../../../src/store/script.ts';

export type Direction = 'up' | 'down';

/** A step of which some statements are still to be carried out. */
export interface Unfinished {
  readonly step: string;
  readonly direction: Direction;
}

/** How the journal talks to the server. */
export interface JournalConnection {
  perform(sql: string, bindings?: readonly unknown[]): Promise<StatementResult>;
  /** Runs a statement that may take as long as it takes. */
  execute(sql: string): Promise<void>;
  /** True for an error that leaves the statement undone. After any other it is not known. */
  isRefusal(error: unknown): boolean;
}

interface Row {
  readonly position: number;
  readonly statement: string;
  readonly begun: number;
}

/** There is already what was to be made, or gone what was to be removed: MySQL's errors 1050, 1051, 1060, 1061 and 1091. */
const doneBefore: readonly unknown[] = [1050, 1051, 1060, 1061, 1091];

/**
 * The statements of the step that is being run or undone, in a table that is there meanwhile. Each is marked before it is
 * executed and removed with it, so that of a process that died in between one statement at most is in doubt: it is executed
 * again, and may find itself done.
 */
export class Journal {
  /** Whether anything was carried out. */
  hasChanged = false;

  constructor(
    private readonly connection: JournalConnection,
    /** Its quoted name. */
    readonly table: string,
  ) {}

  /** Call it where the table is there. */
  async unfinished(): Promise<Unfinished | undefined> {
    const { rows } = await this.connection.perform(`SELECT step, direction FROM ${this.table} ORDER BY position LIMIT 1`);
    return rows[0] as Unfinished | undefined;
  }

  async remaining(): Promise<readonly string[]> {
    return (await this.rows()).map((row) => row.statement);
  }

  async create(): Promise<void> {
    await this.connection.execute(
      `CREATE TABLE IF NOT EXISTS ${this.table} (position INT PRIMARY KEY, step VARCHAR(255) NOT NULL, direction VARCHAR(4) NOT NULL, statement LONGTEXT NOT NULL, begun TINYINT NOT NULL DEFAULT 0) DEFAULT CHARACTER SET utf8mb4 ENGINE = InnoDB`,
    );
  }

  async drop(): Promise<void> {
    await this.connection.execute(`DROP TABLE IF EXISTS ${this.table}`);
  }

  /** Writes down what a step is going to do, all of it or nothing. */
  async write({ step, direction }: Unfinished, statements: readonly string[]): Promise<void> {
    const values = statements.map(() => '(?, ?, ?, ?)').join(', ');
    await this.connection.perform(
      `INSERT INTO ${this.table} (position, step, direction, statement) VALUES ${values}`,
      statements.flatMap((statement, position) => [position, step, direction, statement]),
    );
  }

  /**
   * Executes what is written down. Rejects with the first error, and what follows stays written down; not so where nothing of
   * the step was done, since it may have something else to do once the cause is mended.
   */
  async carryOut(): Promise<void> {
    for (const row of await this.rows()) {
      try {
        await this.carryOutOne(row);
      } catch (error) {
        if (row.position === 0 && this.connection.isRefusal(error)) await this.connection.perform(`DELETE FROM ${this.table}`);
        throw error;
      }
      this.hasChanged = true;
    }
  }

  private async carryOutOne({ position, statement, begun }: Row): Promise<void> {
    const { connection, table } = this;
    if (begun === 0) await connection.perform(`UPDATE ${table} SET begun = 1 WHERE position = ?`, [position]);
    try {
      // One that changes rows is committed together with its removal; any other has committed by itself.
      await connection.perform('START TRANSACTION');
      await connection.execute(statement);
    } catch (error) {
      if (!connection.isRefusal(error)) throw error;
      await connection.perform('ROLLBACK');
      if (begun === 0 || !doneBefore.includes((error as { readonly errno?: unknown }).errno)) {
        await connection.perform(`UPDATE ${table} SET begun = 0 WHERE position = ?`, [position]);
        throw error;
      }
    }
    await connection.perform(`DELETE FROM ${table} WHERE position = ?`, [position]);
    await connection.perform('COMMIT');
  }

  private async rows(): Promise<readonly Row[]> {
    const { rows } = await this.connection.perform(`SELECT position, statement, begun FROM ${this.table} ORDER BY position`);
    return rows as readonly Row[];
  }
}
