/**
 * What balancers say to one another on their forwarding ports.
 *
 * A request carries `tandem-forwarded: MACHINE`; one from an outside client loses that header at the entry. The answer to
 * work that was not begun is a 503 with `tandem-unprocessed: 1`, sent before any of the body is read; the entry then goes
 * on to the next peer. Work that was taken is told at once by an interim 102, so that the entry sends at most as much of
 * a body before it as it keeps for sending again. TCP travels in a CONNECT whose authority names the route.
 *
 * No request reaches more than two instances. One that has reached an instance that gave no answer carries `tandem-sent: sent`
 * from then on, and a peer that hands it back after that says `tandem-unprocessed: sent`.
 */
export const forwardedHeader = 'tandem-forwarded'
export const unprocessedHeader = 'tandem-unprocessed'
export const sentHeader = 'tandem-sent'
export const sentBefore = 'sent'
export const acceptedStatus = 102

const authority = /^(\d{1,5})\.tcp\.tandem:\1$/

export function tcpAuthority(name: number): string {
  return `${name}.tcp.tandem:${name}`
}

export function tcpName(target: string): number | null {
  const found = authority.exec(target)
  return found ? Number(found[1]) : null
}
