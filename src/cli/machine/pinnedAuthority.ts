import { connect, type DetailedPeerCertificate } from 'node:tls'
import { fingerprint, isSignedBy } from '../../identity/certificate.ts'
import { OperatorError } from '../../lib/operatorError.ts'

const withinMs = 10_000

/**
 * The authority (PEM) that the controller at `host:port` shows, once its fingerprint is `pin` and it signed the
 * controller's certificate: from here on it is trusted, and nothing was sent before.
 */
export async function pinnedAuthority(controller: string, pin: string): Promise<string> {
  const url = new URL(`https://${controller}`)
  const chain = await shownBy(url.hostname.replace(/^\[|\]$/g, ''), Number(url.port || 443))
  const authority = chain.issuerCertificate?.raw
  if (authority && fingerprint(authority) === pin && isSignedBy(chain.raw, authority)) return pem(authority)
  throw new OperatorError(
    'E_JOIN_REFUSED',
    `the controller at ${controller} is not the one that the join command names`,
    {
      subject: controller,
      next: 'is the address right, and does nothing sit between? tandem machine add NAME   prints the command anew',
    },
  )
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
