import { connect, type DetailedPeerCertificate } from 'node:tls'
import { fingerprint, isSignedBy } from '../identity/certificate.ts'
import { OperatorError } from '../lib/operatorError.ts'

const withinMs = 10_000

interface Pinned {
  /** `host:port`; without a port, 443. */
  controller: string
  /** sha256 of the authority's certificate, hex: see `checkedPin`. */
  pin: string
  /** How the caller reports a controller of another authority. */
  refusal: { code: 'E_JOIN_REFUSED' | 'E_OTHER_AUTHORITY'; next: string }
}

/**
 * The authority (PEM) that the controller shows, once its fingerprint is `pin` and it signed the controller's
 * certificate: from here on it is trusted, and nothing was sent before.
 */
export async function pinnedAuthority({ controller, pin, refusal }: Pinned): Promise<string> {
  const url = new URL(`https://${controller}`)
  const chain = await shownBy(url.hostname.replace(/^\[|\]$/g, ''), Number(url.port || 443))
  const authority = chain.issuerCertificate?.raw
  if (authority && fingerprint(authority) === pin && isSignedBy(chain.raw, authority)) return pem(authority)
  const message = `the controller at ${controller} was not signed by the authority with the fingerprint ${pin.slice(0, 12)}…`
  throw new OperatorError(refusal.code, message, { subject: controller, next: refusal.next })
}

/** A fingerprint as people copy it, also as `openssl` prints it: 64 hex digits, perhaps in pairs between colons. */
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
  // Not trusted yet: what it shows is compared with the pin before anything is said.
  const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3' }, () => {
    resolve(socket.getPeerCertificate(true))
    socket.destroy()
  })
  socket.setTimeout(withinMs, () => socket.destroy(new Error(`no answer within ${withinMs / 1000} s`)))
  socket.on('error', (cause) =>
    reject(
      new OperatorError('E_CONTROLLER_UNREACHABLE', `no controller answers at ${host}:${port} (${cause.message})`, {
        subject: `${host}:${port}`,
        next: 'is it running, and may this machine reach that port?',
        cause,
      }),
    ),
  )
  return promise
}

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
