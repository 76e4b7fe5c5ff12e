import type { IncomingHttpHeaders } from 'node:http'
import { OperatorError } from '../../lib/operatorError.ts'

/** Names under which browsers may open the page. No foreign DNS can give them to another computer. */
const pageHosts = new Set(['tandem.localhost', '127.0.0.1', '[::1]'])

const nameOf = (host: string): string => host.toLowerCase().replace(/:\d*$/, '')

/**
 * Throws unless a browser on this computer opened the page by a name of this computer. Otherwise a page of another site
 * that points its own name here (DNS rebinding) would count as ours.
 */
export function refuseForeignHost({ host = '' }: IncomingHttpHeaders): void {
  if (pageHosts.has(nameOf(host))) return
  throw new OperatorError('E_FOREIGN_HOST', `the page is not served under the name "${host}"`, {
    subject: host,
    next: 'tandem open   opens the page, from any computer with a context for this cluster',
  })
}

/** Throws for a request that another site made a browser send. Only the page itself sends requests with a session. */
export function refuseForeignSite(headers: IncomingHttpHeaders): void {
  refuseForeignHost(headers)
  const { origin, host = '', 'sec-fetch-site': site } = headers
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host.toLowerCase())
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none')) return
  throw new OperatorError('E_FOREIGN_SITE', `the request comes from another site: ${origin ?? site}`, {
    subject: origin ?? host,
    next: 'tandem open   opens the page, which sends its own requests',
  })
}
