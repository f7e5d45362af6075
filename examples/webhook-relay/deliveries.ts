import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';

/** One webhook on its way to a customer's endpoint. */
export interface Delivery {
  readonly delivery: string;
  readonly event: string;
  /** Host and path of the customer's endpoint. */
  readonly endpoint: string;
  readonly payload: Record<string, string | number | boolean>;
}

const endpoints = [
  'shop.acme.example/hooks/orders',
  'api.northwind.example/webhooks',
  'hooks.globex.example/v2/events',
  'erp.initech.example/inbound/relay',
  'crm.umbrella.example/webhook',
  'ledger.hooli.example/events',
  'old.stark.example/callback',
  'forms.wayne.example/hooks',
] as const;

const people = ['ada', 'grace', 'linus', 'margaret', 'dennis', 'radia', 'barbara', 'ken'] as const;
const plans = ['starter', 'team', 'business'] as const;
const carriers = ['DHL', 'PostNord', 'UPS'] as const;

const events: Readonly<Record<string, (random: Random) => Delivery['payload']>> = {
  'order.created': (random) => ({
    order: id('ord', random),
    customer: id('cus', random),
    items: 1 + random.below(9),
    total: money(random),
    currency: 'EUR',
  }),
  'order.paid': (random) => ({ order: id('ord', random), charge: id('ch', random), amount: money(random), currency: 'EUR', test: false }),
  'order.refunded': (random) => ({
    order: id('ord', random),
    refund: id('re', random),
    amount: money(random),
    reason: random.pick(['damaged', 'duplicate', 'late']),
  }),
  'invoice.finalized': (random) => ({
    invoice: id('inv', random),
    number: `2026-${1000 + random.below(9000)}`,
    due: 30,
    total: money(random),
  }),
  'invoice.payment_failed': (random) => ({
    invoice: id('inv', random),
    attempt: 1 + random.below(3),
    code: random.pick(['card_declined', 'expired_card']),
  }),
  'customer.created': (random) => ({
    customer: id('cus', random),
    email: `${random.pick(people)}@mail.example`,
    newsletter: random.below(2) === 1,
  }),
  'subscription.renewed': (random) => ({ subscription: id('sub', random), plan: random.pick(plans), seats: 1 + random.below(40) }),
  'subscription.canceled': (random) => ({ subscription: id('sub', random), plan: random.pick(plans), atPeriodEnd: random.below(2) === 1 }),
  'shipment.dispatched': (random) => ({
    shipment: id('shp', random),
    order: id('ord', random),
    carrier: random.pick(carriers),
    parcels: 1 + random.below(3),
  }),
  'shipment.delivered': (random) => ({ shipment: id('shp', random), signedBy: random.pick(people), attempts: 1 + random.below(2) }),
};

/** Writes a file of deliveries, one JSON object a line. The same seed makes the same file. */
export async function writeDeliveries(file: string, count: number, seed: number): Promise<void> {
  const random = new Random(seed);
  const out = createWriteStream(file);
  for (let made = 0; made < count; made += 1) {
    const event = random.pick(Object.keys(events));
    const delivery: Delivery = { delivery: id('dlv', random), event, endpoint: random.pick(endpoints), payload: events[event]!(random) };
    out.write(`${JSON.stringify(delivery)}\n`);
  }
  out.end();
  await once(out, 'finish');
}

export async function* readDeliveries(file: string): AsyncGenerator<Delivery> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line !== '') yield JSON.parse(line) as Delivery;
  }
}

function id(prefix: string, random: Random): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789';
  return `${prefix}_${Array.from({ length: 10 }, () => letters[random.below(letters.length)]).join('')}`;
}

function money(random: Random): number {
  return (500 + random.below(50_000)) / 100;
}

/** mulberry32: small, fast, and the same numbers on every machine. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}
