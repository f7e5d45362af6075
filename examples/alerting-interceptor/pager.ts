import { injectable } from 'inversify';

/** A service of the app's that reaches people. This one prints. */
@injectable()
export class Pager {
  calls = 0;

  constructor(private readonly say: (line: string) => void) {}

  async call(lines: readonly string[]): Promise<void> {
    this.calls += 1;
    for (const line of lines) this.say(`  PAGER ${line}`);
  }
}
