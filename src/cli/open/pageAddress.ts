import { OperatorError } from '../../lib/operatorError.ts'
import { sha256 } from '../../lib/hash.ts'
import { isLoopback } from '../../lib/localHost.ts'

const pageHost = 'tandem.localhost'

/** Below the ephemeral ports, above those of `tandem up`. */
const ports = { first: 17_000, count: 3_000 }

/** The port on this computer where the page of a cluster elsewhere is, always the same for a context. */
export const portFor = (context: string): number =>
  ports.first + (Number.parseInt(sha256(context).slice(0, 8), 16) % ports.count)

/** The port of a controller on this computer that a browser reaches directly; `null`: it needs a tunnel. */
export function directPort(controller: string): number | null {
  const { protocol, hostname, port } = new URL(controller)
  const isHere = isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))
  return protocol === 'http:' && isHere ? Number(port || 80) : null
}

/** The address of the page; throws for a path that leads elsewhere. */
export function pageUrl(port: number, path: string): URL {
  const origin = `http://${pageHost}:${port}`
  const full = `${origin}/${path.replace(/^\//, '')}`
  const url = URL.canParse(full) ? new URL(full) : null
  if (url !== null && url.origin === origin && url.hash === '' && !/[\\\s]|^\/?\//.test(path.slice(1))) return url
  throw new OperatorError('E_USAGE', `"${path}" is not an address within the page`, {
    subject: 'PATH',
    next: 'use a path such as / or services/shop',
  })
}

/** The address with the secret that signs in. A fragment is sent to no server, and stands in no log. */
export const linkTo = (url: URL, link: string): string => `${url.href}#open=${link}`
