import { connect, type DetailedPeerCertificate } from 'node:tls'
import { fingerprint, isSignedBy } from './certificate.ts'
import { OperatorError } from '../lib/operatorError.ts'

const withinMs = 10_000

interface Pinned {
  /** `host:port`; the default port is 443. */
  controller: string
  /** sha256 of the authority's certificate, hex: see `checkedPin`. */
  pin: string
  /** How the caller reports a controller that another authority signed. */
  refusal: { code: 'E_JOIN_REFUSED' | 'E_OTHER_AUTHORITY'; next: string }
}

/**
 * Fetches the authority (PEM) that the controller presents. Returns it only if its fingerprint is `pin` and it signed
 * the controller's certificate. The caller trusts this authority from then on; nothing is sent before the check.
 */
export async function pinnedAuthority({ controller, pin, refusal }: Pinned): Promise<string> {
  const url = new URL(`https://${controller}`)
  const chain = await shownBy(url.hostname.replace(/^\[|\]$/g, ''), Number(url.port || 443))
  const authority = chain.issuerCertificate?.raw
  if (authority && fingerprint(authority) === pin && isSignedBy(chain.raw, authority)) return pem(authority)
  const message = `the certificate of the controller at ${controller} was not signed by the authority with the fingerprint ${pin.slice(0, 12)}…`
  throw new OperatorError(refusal.code, message, { subject: controller, next: refusal.next })
}

/** Checks a fingerprint: 64 hex digits, also in pairs separated by colons, as `openssl` prints it. */
export function checkedPin(text: string, next: string): string {
  const pin = text.replaceAll(':', '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(pin)) return pin
  throw new OperatorError('E_USAGE', `a fingerprint is 64 hex digits, not ${JSON.stringify(text)}`, {
    subject: text,
    next,
  })
}

function shownBy(host: string, port: number): Promise<DetailedPeerCertificate> {
  const { promise, resolve, reject } = Promise.withResolvers<DetailedPeerCertificate>()
  // The controller is not trusted yet: the caller compares its authority with the pin before anything is sent.
  const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3' }, () => {
    resolve(socket.getPeerCertificate(true))
    socket.destroy()
  })
  socket.setTimeout(withinMs, () => socket.destroy(new Error(`no answer within ${withinMs / 1000} s`)))
  socket.on('error', (cause) =>
    reject(
      new OperatorError('E_CONTROLLER_UNREACHABLE', `no controller answers at ${host}:${port} (${cause.message})`, {
        subject: `${host}:${port}`,
        next: 'check that the controller runs and that this machine can reach the port',
        cause,
      }),
    ),
  )
  return promise
}

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
