import type { OwnPort, PlannedRoute, Unserved } from './balancer.ts'

/** The port as text: `TCP port 5672`, `127.77.1.2:6379`. */
export const ownPortInWords = ({ public: isPublic, loopback, port }: OwnPort): string =>
  isPublic ? `TCP port ${port}` : `${loopback}:${port}`

/** A service that goes without its own port, and the reason. */
export const cannotListenAt = ({ service }: PlannedRoute, own: OwnPort, why: string): Unserved => ({
  service,
  reason: `cannot listen on ${ownPortInWords(own)} (${why}): free the port, or give ${service} another port`,
})
