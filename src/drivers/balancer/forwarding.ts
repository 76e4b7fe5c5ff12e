/**
 * What balancers say to one another on their forwarding ports.
 *
 * A request carries `tandem-forwarded: MACHINE`; one from an outside client loses that header at the entry. The answer to
 * work that was not begun is a 503 with `tandem-unprocessed: 1`, sent before any of the body is read; the entry then goes
 * on to the next peer. Work that was taken is told at once by an interim 102, so that the entry sends at most as much of
 * a body before it as it keeps for sending again. TCP travels in a CONNECT whose authority names the route. An HTTP route
 * with a port of its own is named after the machine: `tandem-forwarded: MACHINE SERVICE/PORT`.
 *
 * No request reaches more than two instances. One that has reached an instance that gave no answer carries `tandem-sent: sent`
 * from then on, and a peer that hands it back after that says `tandem-unprocessed: sent`.
 */
export const forwardedHeader = 'tandem-forwarded'
export const unprocessedHeader = 'tandem-unprocessed'
export const sentHeader = 'tandem-sent'
export const sentBefore = 'sent'
/** HAProxy to HAProxy, where 425 says that nothing was begun: the instance itself has answered 425. */
export const tooEarlyHeader = 'tandem-too-early'
export const acceptedStatus = 102

/** Headers for a peer: who forwards, for which route where that has a port of its own, and whether an instance has had the request. */
export function forPeer(machine: string, route: string | null, sent: boolean): string[] {
  const forwarded = [forwardedHeader, route === null ? machine : `${machine} ${route}`]
  return sent ? [...forwarded, sentHeader, sentBefore] : forwarded
}

/** The route that a forwarding machine named; `null`: host and path say it. */
export const forwardedRoute = (said: string | null): string | null => said?.split(' ')[1] ?? null

const authority = /^(\d{1,5})(?:\.([a-z][a-z0-9-]*))?\.tcp\.tandem:\1$/

/** `5672` is asked for as `5672.tcp.tandem:5672`, `redis/6379` as `6379.redis.tcp.tandem:6379`. */
export function tcpAuthority(name: string): string {
  const [service, port] = name.includes('/') ? name.split('/') : [null, name]
  return `${port}${service === null ? '' : `.${service}`}.tcp.tandem:${port}`
}

export function tcpName(target: string): string | null {
  const [, port, service] = authority.exec(target) ?? []
  if (port === undefined) return null
  return service === undefined ? port : `${service}/${port}`
}
