import { inject } from 'inversify';
import { exponential, Job, job, type JobOptions, RetryAfter, Unrecoverable } from 'redrive';
import type { Delivery } from './deliveries.ts';
import { WebhookClient } from './webhook-client.ts';

/** The endpoint answered, but not with a 2xx. What it said is kept with the failure. */
export class EndpointError extends Error {
  override readonly name: string = 'EndpointError';

  constructor(
    message: string,
    readonly status: number,
    readonly body: string,
  ) {
    super(message);
  }
}

/** The endpoint will never take this payload. */
export class BadPayload extends EndpointError {
  override readonly name = 'BadPayload';
}

export const deliveryOptions: JobOptions = {
  maxAttempts: 4,
  backoff: exponential({ base: '400ms', max: '3s', jitter: 0.3 }),
  timeout: '1s',
  failOn: [BadPayload],
};

@job('webhooks.deliver', deliveryOptions)
export class DeliverWebhook extends Job<Delivery, number> {
  constructor(@inject(WebhookClient) private readonly client: WebhookClient) {
    super();
  }

  async handle(): Promise<number> {
    const response = await this.client.post(this.properties, this.signal);
    if (response.ok) return response.status;

    const [host] = this.properties.endpoint.split('/');
    const answer = `${host} answered ${response.status}`;
    const body = await response.text();
    switch (response.status) {
      case 429:
        throw new RetryAfter(Number(response.headers.get('retry-after') ?? 1), answer);
      case 410:
        throw new Unrecoverable(answer, { cause: new EndpointError(answer, response.status, body) });
      case 422:
        throw new BadPayload(answer, response.status, body);
      default:
        throw new EndpointError(answer, response.status, body);
    }
  }
}
