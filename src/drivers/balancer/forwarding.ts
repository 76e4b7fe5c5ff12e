/**
 * The protocol between balancers on their forwarding ports.
 *
 * A request carries `tandem-forwarded: MACHINE`; the entry removes that header from requests of outside clients. A peer
 * answers work that it did not begin with a 503 and `tandem-unprocessed: 1`, before it reads any part of the body; the
 * entry then tries the next peer. A peer reports accepted work at once with an interim 102. Before that answer, the
 * entry sends at most the part of a body that it keeps for sending again. TCP travels in a CONNECT whose authority names
 * the route. For an HTTP route with its own port, the route follows the machine: `tandem-forwarded: MACHINE
 * SERVICE/PORT`.
 *
 * No request reaches more than two instances. A request that has reached an instance without an answer carries
 * `tandem-sent: sent` from then on, and a peer that returns such a request answers with `tandem-unprocessed: sent`.
 */
export const forwardedHeader = 'tandem-forwarded'
export const unprocessedHeader = 'tandem-unprocessed'
export const sentHeader = 'tandem-sent'
export const sentBefore = 'sent'
/**
 * Used between two HAProxies, where 425 means that no work was begun: marks that the instance itself has answered 425.
 */
export const tooEarlyHeader = 'tandem-too-early'
export const acceptedStatus = 102

/**
 * Headers for a peer: the forwarding machine, the route if it has its own port, and whether an instance has received
 * the request.
 */
export function forPeer(machine: string, route: string | null, sent: boolean): string[] {
  const forwarded = [forwardedHeader, route === null ? machine : `${machine} ${route}`]
  return sent ? [...forwarded, sentHeader, sentBefore] : forwarded
}

/** The route that a forwarding machine named; `null`: host and path decide. */
export const forwardedRoute = (said: string | null): string | null => said?.split(' ')[1] ?? null

const authority = /^(\d{1,5})(?:\.([a-z][a-z0-9-]*))?\.tcp\.tandem:\1$/

/**
 * A connection to `5672` names `5672.tcp.tandem:5672`; a connection to `redis/6379` names `6379.redis.tcp.tandem:6379`.
 */
export function tcpAuthority(name: string): string {
  const [service, port] = name.includes('/') ? name.split('/') : [null, name]
  return `${port}${service === null ? '' : `.${service}`}.tcp.tandem:${port}`
}

export function tcpName(target: string): string | null {
  const [, port, service] = authority.exec(target) ?? []
  if (port === undefined) return null
  return service === undefined ? port : `${service}/${port}`
}
