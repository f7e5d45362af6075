import type { Cli } from './cli.ts';
import { progressLine, progressText, type Figures } from './progress-line.ts';

/** How far it is now; `done` of `total`, or a `part` from 0 to 1 where the total is counted in something else. */
export interface Standing {
  readonly done?: number;
  readonly total?: number | undefined;
  readonly part?: number | undefined;
  /** Default: the one it began with. */
  readonly what?: string;
  readonly note?: string | undefined;
}

interface Sample {
  readonly at: number;
  readonly done: number;
  readonly part: number;
}

/** How often a line is added where there is no terminal to redraw one on. */
const lineEveryMs = 15_000;
/** A rate is that of the last while: what was long ago says nothing of the present. */
const windowMs = 10_000;
const sampleEveryMs = 250;
/** A rate of less than that would jump about. */
const leastMs = 1_000;
/** How often it is redrawn while nothing is heard of the work. */
const beatMs = 500;

/**
 * Shows on stderr how far a long command is: on a terminal one line that is redrawn, elsewhere a line now and then. Nothing of it
 * gets to stdout.
 */
export class Progress {
  private readonly startedAt: number;
  private readonly samples: Sample[] = [];
  private toldAt: number;

  constructor(
    private readonly cli: Cli,
    private readonly what: string,
  ) {
    this.startedAt = cli.services.clock.now();
    this.toldAt = this.startedAt;
  }

  /** As often as is convenient: it draws ten times a second at most. */
  update(standing: Standing): void {
    const now = this.cli.services.clock.now();
    this.sample(standing, now);
    if (this.cli.io.isTty.stderr) {
      this.cli.out.redraw((columns) => progressLine(this.figures(standing, now), columns));
    } else if (now - this.toldAt >= lineEveryMs) {
      this.toldAt = now;
      this.cli.out.detail(progressText(this.figures(standing, now)));
    }
  }

  /** Draws what `standing` says again and again while the work goes on, and resolves or rejects as it does. */
  async during<T>(work: Promise<T>, standing: () => Standing): Promise<T> {
    const { clock } = this.cli.services;
    let isOver = false;
    const beat = (): void => {
      if (isOver) return;
      this.update(standing());
      timer = clock.after(beatMs, beat);
    };
    let timer = clock.after(beatMs, beat);
    try {
      return await work;
    } finally {
      isOver = true;
      timer.cancel();
    }
  }

  private sample(standing: Standing, at: number): void {
    const last = this.samples.at(-1);
    if (last !== undefined && at - last.at < sampleEveryMs) return;
    this.samples.push({ at, done: standing.done ?? 0, part: partOf(standing) ?? 0 });
    // The one before the window is kept, for the window to be whole.
    while ((this.samples[1]?.at ?? at) <= at - windowMs) this.samples.shift();
  }

  private figures(standing: Standing, now: number): Figures {
    const { done, total, note, what = this.what } = standing;
    const part = partOf(standing);
    const first = this.samples[0];
    const spanMs = first === undefined ? 0 : now - first.at;
    const perMs = (from: number, to: number): number | undefined => (spanMs < leastMs || to <= from ? undefined : (to - from) / spanMs);
    const rate = perMs(first?.done ?? 0, done ?? 0);
    const speed = part === undefined ? undefined : perMs(first?.part ?? 0, part);
    return {
      what,
      done,
      total,
      part,
      note,
      rate: rate === undefined ? undefined : rate * 1_000,
      leftMs: speed === undefined || part === undefined ? undefined : (1 - part) / speed,
      elapsedMs: now - this.startedAt,
    };
  }
}

function partOf({ done, total, part }: Standing): number | undefined {
  const exact = part ?? (done === undefined || total === undefined || total === 0 ? undefined : done / total);
  return exact === undefined ? undefined : Math.min(1, Math.max(0, exact));
}
