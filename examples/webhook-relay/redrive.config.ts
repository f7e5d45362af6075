// What the `redrive` command reads: the relay's database, and a worker for it. The endpoints of this worker are
// repaired, so a delivery that failed in the demo arrives when it is retried.
import { job } from 'redrive';
import { DeliverWebhook, deliveryOptions } from './deliver-webhook.ts';
import { Receiver } from './receiver.ts';
import { relayConfig } from './relay.ts';
import { WebhookClient } from './webhook-client.ts';

const receiver = new Receiver('repaired');

/** The same job. The command has no container that could inject a client, so the job brings one along. */
@job('webhooks.deliver', deliveryOptions)
class DeliverWebhookAgain extends DeliverWebhook {
  constructor() {
    super(new WebhookClient(() => receiver.url()));
  }
}

export default relayConfig(DeliverWebhookAgain);
