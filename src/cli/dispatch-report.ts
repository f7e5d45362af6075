import { faultLine, faultOf } from './faults.ts';
import type { Output } from './output.ts';
import { printableJson } from './text.ts';

interface LineError {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

/** Tells what became of each line of a file. Ids are written as they come, since a file may hold more than memory does. */
export class DispatchReport {
  dispatched = 0;
  refused = 0;
  private readonly errors: LineError[] = [];

  constructor(
    private readonly out: Output,
    private readonly json: boolean,
  ) {}

  /** True once a line has had an outcome. */
  get begun(): boolean {
    return this.dispatched + this.refused > 0;
  }

  add(ids: readonly string[]): void {
    if (this.json && ids.length > 0) {
      const listed = ids.map((id) => `    ${printableJson(id)}`).join(',\n');
      this.out.raw(this.dispatched === 0 ? `{\n  "ids": [\n${listed}` : `,\n${listed}`);
    }
    this.dispatched += ids.length;
  }

  /** A bad line; the rest go on. */
  refuse(line: number, error: unknown): void {
    const { code, message } = faultOf(error);
    this.refused += 1;
    this.out.fault(`line ${line}: ${faultLine({ code, message })}`);
    if (this.json) this.errors.push({ line, code, message });
  }

  /** A failure that no further line would escape. */
  stopped(line: number, error: unknown): void {
    const { code, message } = faultOf(error);
    this.refuse(line, Object.assign(new Error(`${message}; stopped here: this line and those after it were not dispatched`), { code }));
  }

  finish(): void {
    if (this.json) {
      const ids = this.dispatched === 0 ? '{\n  "ids": []' : '\n  ]';
      const errors = printableJson(this.errors.toSorted((a, b) => a.line - b.line)).replaceAll('\n', '\n  ');
      this.out.raw(`${ids},\n  "errors": ${errors}\n}\n`);
      return;
    }
    this.out.line(`Dispatched ${this.dispatched} job(s).`);
    if (this.refused > 0) this.out.fault(`${this.refused} line(s) refused.`);
  }
}
