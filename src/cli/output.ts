import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import type { Clock } from '../clock.ts';
import type { Io } from './io.ts';
import { oneLine, printable, printableJson, truncate } from './text.ts';

const redrawMs = 100;

/**
 * The only way of a command to its streams. Outcomes go to stdout, faults and progress to stderr; whatever is printed is escaped.
 * A reader that went away (`| head`) is no fault: the rest is dropped and the command ends as it would have.
 */
export class Output {
  private lost: Error | undefined;
  private readonly gone = new Set<Writable>();
  private shownAt = Number.NEGATIVE_INFINITY;
  private showing = false;
  private printed = false;

  constructor(
    private readonly io: Io,
    private readonly clock: Clock,
  ) {
    for (const stream of [io.stdout, io.stderr]) {
      // Never taken off again: a late EPIPE must find a listener, also after the command has ended.
      stream.on('error', (error: NodeJS.ErrnoException) => {
        this.gone.add(stream);
        if (stream === io.stdout && error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') this.lost ??= error;
      });
    }
  }

  /** One line on stdout. */
  line(text = ''): void {
    this.raw(`${printable(text)}\n`);
  }

  lines(texts: readonly string[]): void {
    for (const text of texts) this.line(text);
  }

  /** True once something is on stdout, where a second document would spoil the first. */
  get hasPrinted(): boolean {
    return this.printed;
  }

  /** Text that holds nothing of anybody else's, to stdout as it is. */
  raw(text: string): void {
    this.clearProgress();
    this.printed = true;
    this.write(this.io.stdout, text);
  }

  /** The one document of `--json`. */
  json(document: unknown): void {
    this.raw(`${printableJson(document)}\n`);
  }

  /** One line on stderr. */
  fault(text: string): void {
    this.clearProgress();
    this.write(this.io.stderr, `${oneLine(text)}\n`);
  }

  /** A line of a longer explanation on stderr; keeps its indentation. */
  detail(text: string): void {
    this.clearProgress();
    this.write(this.io.stderr, `${printable(text)}\n`);
  }

  /** A question on stderr; the answer is typed behind it. */
  ask(text: string): void {
    this.clearProgress();
    this.write(this.io.stderr, printable(text));
  }

  /** Replaces the last line of a terminal, ten times a second at most, by what `draw` makes for its width; nothing is printed elsewhere. */
  redraw(draw: (columns: number) => string): void {
    const now = this.clock.now();
    if (!this.io.isTty.stderr || now - this.shownAt < redrawMs) return;
    this.shownAt = now;
    this.showing = true;
    const columns = this.widthOfStderr;
    // A line as wide as the terminal would be broken by some.
    this.write(this.io.stderr, `\r\u001b[K${truncate(printable(draw(columns)), columns - 1)}`);
  }

  clearProgress(): void {
    if (!this.showing) return;
    this.showing = false;
    this.write(this.io.stderr, '\r\u001b[K');
  }

  /** Resolves when a slow reader has caught up, so that a long command does not keep its output in memory. */
  async drained(): Promise<void> {
    const { stdout } = this.io;
    if (!stdout.writableNeedDrain || this.gone.has(stdout)) return;
    const end = new AbortController();
    const options = { signal: end.signal };
    try {
      await Promise.race([once(stdout, 'drain', options), once(stdout, 'close', options)]);
    } catch {
      // An error of the stream, which its own listener has noted.
    } finally {
      end.abort();
    }
  }

  /** Resolves when all is written, with what made stdout lose some of it, a reader that went away excepted. */
  async finished(): Promise<Error | undefined> {
    this.clearProgress();
    for (const stream of [this.io.stdout, this.io.stderr]) {
      if (this.gone.has(stream) || stream.destroyed) continue;
      await new Promise<void>((resolve) => {
        stream.write('', () => resolve());
      });
    }
    return this.lost;
  }

  /** As it is now: a window may have been resized. Of a terminal that does not say, 80. */
  private get widthOfStderr(): number {
    const { columns } = this.io.stderr as Partial<WriteStream>;
    return columns !== undefined && columns > 0 ? columns : (this.io.columns ?? 80);
  }

  private write(stream: Writable, text: string): void {
    if (!this.gone.has(stream) && !stream.destroyed) stream.write(text);
  }
}
