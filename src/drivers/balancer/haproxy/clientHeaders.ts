import { notAProxy } from '../pages.ts'
import { handedOver, textOf } from './configWords.ts'
import type { HaproxySettings } from './haproxySettings.ts'

/**
 * The headers that inform an instance about the client; they override the values of a client. The headers of a balancer
 * in front that the cluster file trusts are kept: its X-Forwarded-Proto and X-Forwarded-Host stay, and its own address
 * is added to X-Forwarded-For behind the address of the client.
 */
export function fromClients({ trustedProxies }: HaproxySettings): string[] {
  const trusts = trustedProxies.length > 0
  return [
    `  http-request return status 405 content-type "text/plain; charset=utf-8" hdr allow "${notAProxy().headers?.['allow'] ?? ''}" string ${textOf(notAProxy())} if METH_CONNECT`,
    ...(trusts ? [`  acl trusted_proxy src ${trustedProxies.join(' ')}`] : []),
    `  http-request add-header X-Forwarded-For %[src] if !${handedOver}`,
    `  http-request del-header ^x-forwarded-(?!for$) -m reg if !${handedOver}${trusts ? ' !trusted_proxy' : ''}`,
    ...(trusts ? [`  http-request del-header ^x-forwarded-(?!(for|proto|host)$) -m reg if !${handedOver}`] : []),
    `  http-request del-header forwarded if !${handedOver}`,
    `  http-request set-header X-Forwarded-Proto http if !${handedOver} !{ ssl_fc }${unsaid(trusts, 'x-forwarded-proto')}`,
    `  http-request set-header X-Forwarded-Proto https if !${handedOver} { ssl_fc }${unsaid(trusts, 'x-forwarded-proto')}`,
    `  http-request set-header X-Forwarded-Host %[req.hdr(host)] if !${handedOver} { req.hdr(host) -m found }${unsaid(trusts, 'x-forwarded-host')}`,
    '  http-after-response set-header connection close if { var(proc.goodbye) -m int 1 }',
  ]
}

/** Where a trusted balancer has not set the header; at this point no other sender's value is left. */
const unsaid = (trusts: boolean, header: string): string => (trusts ? ` !{ req.hdr(${header}) -m found }` : '')
