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
