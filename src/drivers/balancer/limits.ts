/** Every limit of the embedded balancer, in milliseconds or bytes as the names say. */
export interface BalancerLimits {
  /** Client connections open at once over all listeners. A further connection is refused at once and counted. */
  connections: number
  /** Requests and connections held at once while their service has no instance. */
  held: number
  /** Size of request line and headers; a larger head gets a 431. */
  headerBytes: number
  /** Size of the part of a request body that is kept so that it can be sent again to another instance. */
  replayBytes: number
  /**
   * Number of instances and peers that one request may try before it is held or refused, and after each time it was
   * held.
   */
  attempts: number
  /** Timeout for a TCP connection to an instance or a peer. */
  connectMs: number
  /**
   * Time after which an unused kept-alive connection to an instance is closed: well before common servers would close
   * it.
   */
  upstreamIdleMs: number
  /** Time after which an unused kept-alive connection of a client is closed. */
  clientIdleMs: number
  /** Timeout for the headers of a request to be complete; it does not apply to bodies and answers. */
  headersMs: number
  /**
   * After an early answer (such as 413) the rest of the body is read and dropped for this long, so that the answer
   * arrives.
   */
  lingerMs: number
  /** Time until a dead instance or peer is tried again; it doubles up to `ejectedMaxMs`. */
  ejectedMs: number
  ejectedMaxMs: number
  /** Time that `close` gives work under way. */
  closeMs: number
}

export const defaultLimits: BalancerLimits = {
  connections: 10_000,
  held: 1_000,
  headerBytes: 32 * 1024,
  replayBytes: 64 * 1024,
  attempts: 16,
  connectMs: 2_000,
  upstreamIdleMs: 1_000,
  clientIdleMs: 75_000,
  headersMs: 60_000,
  lingerMs: 5_000,
  ejectedMs: 100,
  ejectedMaxMs: 2_000,
  closeMs: 500,
}

/** Instances listen on the loopback interface: only the balancer of their own machine may connect to them. */
export const instanceHost = '127.0.0.1'
