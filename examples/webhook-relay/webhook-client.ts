import type { Delivery } from './deliveries.ts';

/** Posts deliveries. In the relay this is a service of the app's; here all hosts are one local server. */
export class WebhookClient {
  constructor(private readonly baseUrl: () => Promise<string>) {}

  async post({ delivery, event, endpoint, payload }: Delivery, signal: AbortSignal): Promise<Response> {
    return fetch(`${await this.baseUrl()}/${endpoint}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-delivery': delivery, 'x-event': event },
      body: JSON.stringify(payload),
      signal,
    });
  }
}
