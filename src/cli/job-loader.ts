import type { DispatchOptions, JobSpec } from '../dispatch/dispatcher.ts';
import { isRedriveError, RedriveError, type ErrorCode } from '../errors.ts';
import type { Redrive } from '../redrive.ts';
import type { ByteLine } from './byte-lines.ts';
import type { DispatchReport } from './dispatch-report.ts';
import { parseJobLine, type JobLine } from './job-line.ts';

/** Lines dispatched by one call of {@link JobLoader.load}, at most. */
export const linesAtOnce = 500;

/** Faults of a job; anything else that a dispatch throws is the store's, and would hit every line. */
const jobCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CAPABILITY_MISSING',
  'CONNECTION_UNKNOWN',
  'DURATION_INVALID',
  'JOB_UNKNOWN',
  'JOB_UNNAMED',
  'OPTIONS_INVALID',
  'PROPERTIES_INVALID',
  'QUEUE_UNKNOWN',
]);

interface Entry extends JobLine {
  readonly line: number;
}

/** Jobs that have their outcome, with the id of those that were dispatched. */
type Settled = Map<Entry, string | undefined>;

/** Turns lines into jobs and tells the report what became of each. */
export class JobLoader {
  /** Every line up to this one has had its outcome. */
  lastLine = 0;

  constructor(
    private readonly redrive: Redrive,
    private readonly report: DispatchReport,
    private readonly rules: { readonly defaults: DispatchOptions; readonly checkName: (name: string) => void },
  ) {}

  /** Rejects with what no further line would escape. */
  async load(lines: readonly ByteLine[]): Promise<void> {
    const entries = lines.flatMap((line) => this.parse(line));
    const settled: Settled = new Map();
    const lastLine = lines.at(-1)?.number ?? this.lastLine;
    try {
      for (const group of byTarget(entries)) await this.dispatch(group, settled);
    } catch (error) {
      this.tellDispatched(entries, settled);
      // Before any line had its outcome it is the command that failed, not its lines.
      if (!this.report.begun) throw error;
      this.report.refuseAll(
        entries.filter((entry) => !settled.has(entry)).map(({ line }) => line),
        error,
      );
      this.lastLine = lastLine;
      throw error;
    }
    this.tellDispatched(entries, settled);
    this.lastLine = lastLine;
  }

  private parse(line: ByteLine): Entry[] {
    if (line.text?.trim() === '') return [];
    try {
      if (line.text === undefined) throw new RedriveError('PROPERTIES_INVALID', line.reason);
      const job = parseJobLine(line.text, this.rules.defaults);
      this.rules.checkName(job.name);
      return [{ line: line.number, ...job }];
    } catch (error) {
      this.report.refuse(line.number, error);
      return [];
    }
  }

  /** Dispatches jobs of one target: in one transaction, or, where one of them is refused, each half again. */
  private async dispatch(entries: readonly Entry[], settled: Settled): Promise<void> {
    const [first] = entries;
    if (first === undefined) return;
    try {
      const ids =
        entries.length > 1
          ? await this.redrive.dispatchMany(entries.map(specOf))
          : [await this.redrive.dispatch(first.name, first.properties, first.options)];
      entries.forEach((entry, index) => settled.set(entry, ids[index]));
    } catch (error) {
      if (!isRedriveError(error) || !jobCodes.has(error.code)) throw error;
      if (entries.length === 1) return this.refuse(first, error, settled);
      const middle = Math.ceil(entries.length / 2);
      await this.dispatch(entries.slice(0, middle), settled);
      await this.dispatch(entries.slice(middle), settled);
    }
  }

  private refuse(entry: Entry, error: unknown, settled: Settled): void {
    this.report.refuse(entry.line, error);
    settled.set(entry, undefined);
  }

  /** Ids in the order of their lines, whatever order their targets were served in. */
  private tellDispatched(entries: readonly Entry[], settled: Settled): void {
    this.report.add(entries.flatMap((entry) => settled.get(entry) ?? []));
  }
}

function specOf({ name, properties, options }: Entry): JobSpec {
  return { job: name, properties, options };
}

/** Jobs of one connection and queue go in one transaction, so that of a group all are stored or none. */
function byTarget(entries: readonly Entry[]): Entry[][] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { connection = '', queue = '' } = entry.options;
    const key = JSON.stringify([connection, queue]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return [...groups.values()];
}
