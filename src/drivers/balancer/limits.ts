/** Every bound of the embedded balancer. Milliseconds and bytes, as the names say. */
export interface BalancerLimits {
  /** Client connections open at once over all listeners; one more is refused at once and counted. */
  connections: number
  /** Requests and connections held at once while their service has no instance. */
  held: number
  /** Request line and headers; beyond it the answer is 431. */
  headerBytes: number
  /** How much of a request body is kept so that it can be sent again to another instance. */
  replayBytes: number
  /** Instances and peers one request may be tried on, before it is held or refused and after each time it was held. */
  attempts: number
  /** A TCP connection to an instance or a peer must be made within this. */
  connectMs: number
  /** An unused kept-alive connection to an instance is closed after this: well before the servers people run would. */
  upstreamIdleMs: number
  /** An unused kept-alive connection of a client is closed after this. */
  clientIdleMs: number
  /** The headers of a request must be complete within this; it says nothing about bodies and answers. */
  headersMs: number
  /** After an early answer (413 for one) the rest of the body is read and dropped for this long, so that the answer arrives. */
  lingerMs: number
  /** Dead instances and peers are tried again after this, doubling up to `ejectedMaxMs`. */
  ejectedMs: number
  ejectedMaxMs: number
  /** `close` gives work under way this long. */
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

/** Instances listen on the loopback interface: only their own machine's balancer may connect to them. */
export const instanceHost = '127.0.0.1'
