import type { Logger } from '../logger.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A logger that prints nothing and remembers everything. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[];

  constructor(
    private readonly bound: Record<string, unknown> = {},
    lines: LogLine[] = [],
  ) {
    this.lines = lines;
  }

  debug(fields: Record<string, unknown>, message = ''): void {
    this.add('debug', fields, message);
  }
  info(fields: Record<string, unknown>, message = ''): void {
    this.add('info', fields, message);
  }
  warn(fields: Record<string, unknown>, message = ''): void {
    this.add('warn', fields, message);
  }
  error(fields: Record<string, unknown>, message = ''): void {
    this.add('error', fields, message);
  }
  fatal(fields: Record<string, unknown>, message = ''): void {
    this.add('fatal', fields, message);
  }
  child(fields: Record<string, unknown>): Logger {
    return new RecordingLogger({ ...this.bound, ...fields }, this.lines);
  }

  /** True when a line of this level, or of any, contains the text in its message. */
  says(text: string, level?: LogLine['level']): boolean {
    return this.lines.some((line) => line.message.includes(text) && (level === undefined || line.level === level));
  }

  private add(level: LogLine['level'], fields: Record<string, unknown>, message: string): void {
    this.lines.push({ level, fields: { ...this.bound, ...fields }, message });
  }
}
