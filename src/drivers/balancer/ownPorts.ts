import type { OwnPort, PlannedRoute, Unserved } from './balancer.ts'

/** In words: `TCP port 5672`, `127.77.1.2:6379`. */
export const ownPortInWords = ({ public: isPublic, loopback, port }: OwnPort): string =>
  isPublic ? `TCP port ${port}` : `${loopback}:${port}`

/** Of routes with a port of their own: who goes without, and why. */
export const cannotListenAt = ({ service }: PlannedRoute, own: OwnPort, why: string): Unserved => ({
  service,
  reason: `cannot listen on ${ownPortInWords(own)} (${why}): free it, or give ${service} another`,
})
