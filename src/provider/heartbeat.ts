/**
 * How a thread of its own, which has nothing of the main thread's at hand, reaches a backend to prolong sessions while a
 * job's code keeps the main thread from doing so.
 */
export interface Heartbeat {
  /** A module that exports `connect`, a {@link ConnectHeartbeat}. Loaded in that thread. */
  readonly module: URL;
  /** What `connect` is called with; it reaches the thread by structured cloning. */
  readonly given: unknown;
}

/** A connection that does nothing but prolong sessions. */
export interface HeartbeatLink {
  /** The session's lease ends its full length from now. Resolves with false where the session is dead: nothing changed then. */
  prolong(session: number, leaseMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** May connect at once or when first needed; after an error the link is closed, and `connect` is called again. */
export type ConnectHeartbeat = (given: unknown) => Promise<HeartbeatLink>;
