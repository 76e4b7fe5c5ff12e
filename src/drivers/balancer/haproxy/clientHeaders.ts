import { notAProxy } from '../pages.ts'
import { handedOver, textOf } from './configWords.ts'
import type { HaproxySettings } from './haproxySettings.ts'

/**
 * The headers that inform an instance about the client; they override the values of a client. The headers of a balancer
 * in front that the cluster file trusts are kept: its X-Forwarded-Proto and X-Forwarded-Host stay, and its own address
 * is added to X-Forwarded-For behind the address of the client. These rules must be the last ones of their frontend: a
 * request that an old worker hands over has its headers, and skips the rest. `tls`: the frontend also accepts TLS.
 */
export function fromClients({ trustedProxies }: HaproxySettings, { tls }: { tls: boolean }): string[] {
  const trusts = trustedProxies.length > 0
  return [
    '  http-after-response set-header connection close if { var(proc.goodbye) -m int 1 }',
    `  http-request return status 405 content-type "text/plain; charset=utf-8" hdr allow "${notAProxy().headers?.['allow'] ?? ''}" string ${textOf(notAProxy())} if METH_CONNECT`,
    `  http-request allow if ${handedOver}`,
    ...(trusts ? [`  acl trusted_proxy src ${trustedProxies.join(' ')}`] : []),
    `  http-request del-header ${claims('for')} -m reg${trusts ? ' if !trusted_proxy' : ''}`,
    ...(trusts ? [`  http-request del-header ${claims('for|proto|host')} -m reg if trusted_proxy`] : []),
    '  http-request add-header X-Forwarded-For %[src]',
    `  http-request set-header X-Forwarded-Proto ${tls ? '%[ssl_fc,iif(https,http)]' : 'http'}${trusts ? ` if ${unset('x-forwarded-proto')}` : ''}`,
    `  http-request set-header X-Forwarded-Host %[req.hdr(host)] if { req.hdr(host) -m found }${trusts ? ` ${unset('x-forwarded-host')}` : ''}`,
  ]
}

/** Matches the headers by which a sender claims something about the client, except the X-Forwarded headers of these kinds. */
const claims = (kept: string): string => `^(forwarded|x-forwarded-(?!(${kept})$).*)$`

/** Where a trusted balancer has not set the header; at this point no other sender's value is left. */
const unset = (header: string): string => `!{ req.hdr(${header}) -m found }`
