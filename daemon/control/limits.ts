// What a client of the control API may use up.

/** Times in ms, sizes in bytes. Each listener, the socket and the TCP port, has them for itself. */
export interface ControlLimits {
  /** Connections at once; further ones are closed at once. */
  readonly connections: number;
  readonly bodyBytes: number;
  readonly headerBytes: number;
  /** From the connection to the end of the headers. */
  readonly headersMs: number;
  /** From the end of the headers to the end of the body. */
  readonly requestMs: number;
  /** Between two requests of one connection. */
  readonly keepAliveMs: number;
  /** Requests a second, over long; at once as many as in two seconds. */
  readonly requestsPerSec: number;
  /** How long events are kept for a watcher that comes back, when no other is there. */
  readonly keepEventsMs: number;
}

/** The limits of the daemon. */
export const CONTROL_LIMITS: ControlLimits = {
  connections: 64,
  bodyBytes: 64 * 1024,
  headerBytes: 8 * 1024,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 5_000,
  requestsPerSec: 500,
  keepEventsMs: 60_000,
};
