import { once } from 'node:events'
import { connect as connectPlain, isIP, type Server, type Socket } from 'node:net'
import { connect as connectSecure, TLSSocket } from 'node:tls'
import { listenAtBoth } from '../../lib/loopbackPair.ts'

interface Target {
  /** Address of the controller. */
  url: string
  /** The cluster's authority, PEM; without one, the authorities that the system trusts. */
  authority?: string | undefined
}

/** Longest time until a connection to the controller is made. */
const connectMs = 10_000

/**
 * Carries connections from this computer to a controller elsewhere, byte for byte. The controller shows the certificate
 * of its cluster, and itself refuses requests that do not come from its own page. Throws `E_PORT_TAKEN`.
 */
export class Tunnel {
  readonly #servers: Server[]
  readonly #sockets: Set<Socket>

  /** `onFailure`: called with the reason when the controller cannot be reached. */
  static async open(port: number, target: Target, onFailure: (reason: string) => void): Promise<Tunnel> {
    const sockets = new Set<Socket>()
    const servers = await listenAtBoth(port, (near) => {
      sockets.add(near)
      near.once('close', () => sockets.delete(near))
      join(near, connectTo(target), onFailure)
    })
    return new Tunnel(servers, sockets)
  }

  private constructor(servers: Server[], sockets: Set<Socket>) {
    this.#servers = servers
    this.#sockets = sockets
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => once(server.close(), 'close'))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
  }
}

function connectTo({ url, authority }: Target): Socket {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const isSecure = protocol === 'https:'
  const to = { host, port: Number(port || (isSecure ? 443 : 80)), allowHalfOpen: true }
  if (!isSecure) return connectPlain(to)
  return connectSecure({
    ...{ ...to, minVersion: 'TLSv1.3' },
    ...(authority === undefined ? {} : { ca: authority }),
    ...(isIP(host) === 0 ? { servername: host } : {}),
  })
}

function join(near: Socket, far: Socket, onFailure: (reason: string) => void): void {
  far.setNoDelay(true)
  far.setTimeout(connectMs, () => far.destroy(new Error(`no connection within ${connectMs / 1000} s`)))
  far.once(far instanceof TLSSocket ? 'secureConnect' : 'connect', () => far.setTimeout(0))
  near.on('error', () => far.destroy()).on('close', () => far.destroy())
  far.on('error', (error) => onFailure(error.message)).on('close', () => near.destroy())
  near.pipe(far)
  far.pipe(near)
}
