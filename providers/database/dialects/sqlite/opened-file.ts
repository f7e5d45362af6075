import { statSync } from 'node:fs';
import { RedriveError } from '../../../../src/errors.ts';

interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/**
 * Remembers which file a path led to when it was opened. SQLite holds on to that very file: once it is removed or
 * replaced, what is written goes where nobody else can find it, and no error says so.
 */
export class OpenedFile {
  private readonly dev: number | undefined;
  private readonly ino: number | undefined;

  /** Made once the file is open: on some layered file systems opening is what makes it the file that it then stays. */
  constructor(private readonly filename: string) {
    const found = this.look();
    this.dev = found?.dev;
    this.ino = found?.ino;
  }

  /** Throws `STORE_MISSING` where the path leads elsewhere by now. Costs 3 microseconds. */
  check(): void {
    if (this.ino === undefined) return;
    let found: FileIdentity | undefined;
    try {
      found = this.look();
    } catch {
      // A folder on the way may not be read any more, which says nothing about the file.
      return;
    }
    if (found === undefined) {
      throw new RedriveError(
        'STORE_MISSING',
        `${this.filename} was removed while it was in use; put it back, or stop this process and start it again`,
      );
    }
    if (found.ino !== this.ino || found.dev !== this.dev) {
      throw new RedriveError(
        'STORE_MISSING',
        `${this.filename} was replaced by another file while it was in use; stop every process that uses it and start them again`,
      );
    }
  }

  private look(): FileIdentity | undefined {
    return this.filename === ':memory:' ? undefined : statSync(this.filename, { throwIfNoEntry: false });
  }
}
