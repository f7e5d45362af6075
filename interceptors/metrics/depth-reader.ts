import { within } from '../../src/guard.ts';
import type { ConnectionDepth, MetricsSource } from '../../src/interceptor/metrics.ts';

type DepthSource = Pick<MetricsSource, 'clock' | 'connections' | 'depth'>;

/** A scrape waits no longer for a store: Prometheus gives up after ten seconds, and what works is worth telling. */
export const patienceMs = 2_000;
/** Numbers that were read serve every scrape for this long at least. */
export const freshMs = 5_000;
/** They serve for this many times as long as reading them took, so that reading takes a twentieth of all time at most. */
export const restFactor = 20;

interface Reading {
  readonly depth: Promise<ConnectionDepth>;
  /** When another one may begin; infinity while this one is under way. */
  freshUntil: number;
}

/** Reads what stands in the stores: one reading at a time for each connection, however many scrapes there are. */
export class DepthReader {
  private readonly readings = new Map<string, Reading>();

  constructor(private readonly source: DepthSource) {}

  /** Every connection by its name; undefined where it could not be read in time. Never rejects. */
  async depths(): Promise<ReadonlyMap<string, ConnectionDepth | undefined>> {
    const { clock, connections } = this.source;
    const read = connections.map(async (connection) => {
      const { depth } = this.reading(connection);
      return [connection, await within(clock, patienceMs, () => depth).catch(() => undefined)] as const;
    });
    return new Map(await Promise.all(read));
  }

  private reading(connection: string): Reading {
    const { clock } = this.source;
    const begunAt = clock.now();
    const known = this.readings.get(connection);
    if (known !== undefined && begunAt < known.freshUntil) return known;
    const reading: Reading = { depth: this.source.depth(connection), freshUntil: Number.POSITIVE_INFINITY };
    this.readings.set(connection, reading);
    const ended = (): void => {
      const now = clock.now();
      reading.freshUntil = now + Math.max(freshMs, (now - begunAt) * restFactor);
    };
    // Also a failed one is not repeated at once: a store in trouble is not helped by a storm of scrapes.
    reading.depth.then(ended, ended);
    return reading;
  }
}
