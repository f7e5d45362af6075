import { faultLine, faultOf, type Fault } from './faults.ts';
import type { Output } from './output.ts';
import { printableJson } from './text.ts';

interface LineError extends Fault {
  readonly line: number;
}

/** Tells what became of each line of a file. Ids are written as they come, since a file may hold more than memory does. */
export class DispatchReport {
  dispatched = 0;
  private refused = 0;
  private cutShort = false;
  private readonly errors: LineError[] = [];

  constructor(
    private readonly out: Output,
    private readonly json: boolean,
  ) {}

  /** True once a line has had an outcome. */
  get begun(): boolean {
    return this.dispatched + this.refused > 0;
  }

  /** True where every line of the file was dispatched, blank ones excepted. */
  get allDone(): boolean {
    return this.refused === 0 && !this.cutShort;
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
    const fault = faultOf(error);
    this.out.fault(`line ${line}: ${faultLine(fault)}`);
    this.note([line], fault);
  }

  /** Lines that were on their way when the store failed. */
  refuseAll(lines: readonly number[], error: unknown): void {
    const fault = faultOf(error);
    if (lines.length > 0) this.out.fault(`line ${ranges(lines)}: ${faultLine(fault)}`);
    this.note(lines, fault);
  }

  /** The end before the end of the file. */
  stopped(line: number, reason: unknown): void {
    const { code, message } = faultOf(reason);
    const fault = { code, message: `${message}; this line and those after it were not dispatched` };
    this.cutShort = true;
    this.out.fault(`line ${line}: ${faultLine(fault)}`);
    if (this.json) this.errors.push({ line, ...fault });
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

  private note(lines: readonly number[], fault: Fault): void {
    this.refused += lines.length;
    // Only a document needs them later.
    if (this.json) this.errors.push(...lines.map((line) => ({ line, ...fault })));
  }
}

/** `3-7, 9` for 3, 4, 5, 6, 7, 9. */
function ranges(numbers: readonly number[]): string {
  const found: [first: number, last: number][] = [];
  for (const number of numbers) {
    const current = found.at(-1);
    if (current !== undefined && current[1] === number - 1) current[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(', ');
}
