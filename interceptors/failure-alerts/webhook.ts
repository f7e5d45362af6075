import { sleep, systemClock, type Clock } from '../../src/clock.ts';
import type { AlertNotifier } from '../../src/config/alert-rule.ts';
import { durationMs, type Duration } from '../../src/duration.ts';
import { RedriveError } from '../../src/errors.ts';
import type { AlertEvent } from '../../src/interceptor/points.ts';

export interface WebhookOptions {
  /** Where alerts are posted, as JSON. What is secret in it is kept out of logs: only its host is named there. */
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is posted. Default: the event as it is. It is redacted already. */
  readonly body?: (alert: AlertEvent) => unknown;
  /** How long one try may take. Default 5 s. */
  readonly timeout?: Duration;
  /** How often it is tried again after a network error, a timeout, a 429 or a 5xx. Default 3. */
  readonly retries?: number;
  /** Before the first of these; twice as long before each further one. Default 1 s. */
  readonly backoff?: Duration;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}

/**
 * A notifier that posts alerts. Each carries its event id as `Idempotency-Key`, the same on every try and where another process
 * tells the alert again. With the defaults it ends within `interceptorTimeout`. Throws `OPTIONS_INVALID`, `DURATION_INVALID`.
 *
 * @example
 * alerts: [{ name: 'many failures', when: { failures: 100, within: '1h' }, notify: webhook({ url: process.env.ALERT_URL }) }]
 */
export function webhook(options: WebhookOptions): AlertNotifier {
  const post = new Post(options);
  return (alert) => post.send(alert);
}

class Post {
  private readonly url: URL;
  private readonly timeoutMs: number;
  private readonly retries: number;
  private readonly backoffMs: number;
  private readonly clock: Clock;

  constructor(private readonly options: WebhookOptions) {
    const { timeout = '5s', retries = 3, backoff = '1s', clock = systemClock } = options;
    this.url = readUrl(options.url);
    this.timeoutMs = durationMs(timeout, 'webhook.timeout');
    this.backoffMs = durationMs(backoff, 'webhook.backoff');
    if (!Number.isSafeInteger(retries) || retries < 0)
      throw new RedriveError('OPTIONS_INVALID', `webhook: retries must be a whole number of at least 0, not ${String(retries)}`);
    this.retries = retries;
    this.clock = clock;
  }

  async send(alert: AlertEvent): Promise<void> {
    const { body = (whole: AlertEvent): unknown => whole } = this.options;
    const text = JSON.stringify(body(alert));
    for (let tried = 0; ; tried += 1) {
      const failure = await this.try(text, alert.eventId);
      if (failure === undefined) return;
      if (!failure.passes || tried >= this.retries)
        throw new Error(`The webhook at ${this.url.host} was not told of the alert "${alert.rule.name}": ${failure.reason}`);
      await sleep(this.clock, this.backoffMs * 2 ** tried);
    }
  }

  /** Undefined where it was accepted; else why not, and whether that may pass. */
  private async try(body: string, eventId: string): Promise<{ readonly reason: string; readonly passes: boolean } | undefined> {
    const { fetch: post = fetch, headers } = this.options;
    const abort = new AbortController();
    const timer = this.clock.after(this.timeoutMs, () => abort.abort());
    try {
      const response = await post(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': eventId, ...headers },
        body,
        // An answer from elsewhere says nothing of whether the alert arrived.
        redirect: 'manual',
        signal: abort.signal,
      });
      // What it says is of no interest, and must not keep the connection.
      void response.body?.cancel().catch(() => undefined);
      if (response.ok) return undefined;
      return { reason: `it answered ${response.status}`, passes: response.status === 429 || response.status >= 500 };
    } catch (error) {
      if (abort.signal.aborted) return { reason: `it did not answer within ${this.timeoutMs} ms`, passes: true };
      return { reason: reasonOf(error), passes: true };
    } finally {
      timer.cancel();
    }
  }
}

function readUrl(given: unknown): URL {
  const text = given instanceof URL ? given.href : given;
  if (typeof text === 'string' && URL.canParse(text)) {
    const url = new URL(text);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  }
  throw new RedriveError('OPTIONS_INVALID', 'webhook: url must be an http or https URL');
}

/** The code of a network error; its message may hold the whole URL. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? cause.code : 'it could not be reached';
}
