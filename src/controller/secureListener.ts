import type { Server, TlsOptions, TLSSocket } from 'node:tls'
import type { Logger } from 'pino'
import type { ClusterAuthority } from './clusterAuthority.ts'
import type { Controller } from './controller.ts'
import type { Callers } from './http/callers.ts'

/** Also how soon a renewed certificate is shown. */
const checkMs = 3_600_000

/** How the controller listens: people come with a token and no certificate, machines with theirs. */
export function tlsOptions({ identity }: ClusterAuthority): TlsOptions {
  const { key, certificate, authority } = identity
  // Whoever shows a certificate must show a good one: `watchConnections` sees to that.
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
  now: () => number
}

/**
 * Refuses connections with a certificate that is not good here, cuts those of a machine that is removed, and shows the
 * controller's own certificate renewed, without losing a connection.
 */
export function watchConnections({ server, controller, authority, callers, logger, now }: Watched): () => void {
  const machines = new Set<TLSSocket>()
  const connected = (socket: TLSSocket): void => {
    const shown = socket.getPeerCertificate()
    if (Object.keys(shown).length === 0) return
    if (!callers.machineOf(socket)) {
      logger.warn(
        { subject: shown.subject, from: socket.remoteAddress },
        'a certificate that is not good here; refused',
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
    authority.renewOwn(now()).then(
      (renewed) => {
        if (renewed) server.setSecureContext(tlsOptions(authority))
      },
      (error: unknown) =>
        logger.error({ err: error }, "the controller's certificate could not be renewed; trying again"),
    )
  }
  const timer = setInterval(renew, checkMs)
  renew()
  return () => {
    clearInterval(timer)
    stop()
  }
}
