import type { Server, TlsOptions, TLSSocket } from 'node:tls'
import type { Logger } from 'pino'
import { every, type Clock } from '../lib/clock.ts'
import type { ClusterAuthority } from './clusterAuthority.ts'
import type { Controller } from './controller.ts'
import type { Callers } from './http/callers.ts'

/** Interval between renewal checks, and so the longest time until a renewed certificate is in use. */
const checkMs = 3_600_000

/** How the controller listens: users connect with a token and no certificate, machines with their certificate. */
export function tlsOptions({ identity }: ClusterAuthority): TlsOptions {
  const { key, certificate, authority } = identity
  // A certificate is optional, but one that is shown must be valid: `watchConnections` checks it.
  return {
    key,
    cert: certificate + authority,
    ca: authority,
    requestCert: true,
    rejectUnauthorized: false,
    ...versions,
  }
}

const versions = { minVersion: 'TLSv1.3' } as const

interface Watched {
  server: Server
  controller: Controller
  authority: ClusterAuthority
  callers: Callers
  logger: Logger
  clock: Clock
}

/**
 * Refuses connections whose certificate is not valid here, cuts the connections of a machine that is removed, and puts
 * the controller's renewed certificate into use without losing a connection.
 */
export function watchConnections({ server, controller, authority, callers, logger, clock }: Watched): () => void {
  const machines = new Set<TLSSocket>()
  const connected = (socket: TLSSocket): void => {
    if (socket.destroyed) return
    const shown = socket.getPeerCertificate()
    if (Object.keys(shown).length === 0) return
    if (!callers.machineOf(socket)) {
      logger.warn(
        { subject: shown.subject, from: socket.remoteAddress },
        'refused a connection whose certificate is not valid here',
      )
      return void socket.destroy()
    }
    machines.add(socket)
    socket.on('close', () => machines.delete(socket))
  }
  server.on('secureConnection', connected)
  const stop = controller.onChange(() => {
    for (const socket of machines) if (!callers.machineOf(socket)) socket.destroy()
  })
  const renew = (): void => {
    authority.renewOwn(clock.now()).then(
      (renewed) => {
        if (renewed) server.setSecureContext(tlsOptions(authority))
      },
      (error: unknown) => logger.error({ err: error }, "could not renew the controller's certificate; retrying"),
    )
  }
  const stopRenewing = every(clock, checkMs, renew)
  renew()
  return () => {
    stopRenewing()
    stop()
  }
}
