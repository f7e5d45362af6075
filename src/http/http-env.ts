import type { HttpBindings } from '@hono/node-server';

/** Who asks, as authentication found. */
export interface Caller {
  /** The token's name, what `authorize` calls them, or `http`. */
  readonly name: string;
  /** Known by a token in the Authorization header, not by a cookie or `authorize`. */
  readonly bearer: boolean;
}

/** What Redrive's Hono app keeps for the length of a request. */
export interface HttpEnv {
  Bindings: Partial<HttpBindings>;
  Variables: { caller: Caller };
}
