import { createPrivateKey, X509Certificate } from 'node:crypto'

/** Content of one of Tandem's certificates. Times are in milliseconds since 1970. */
export interface CertificateFacts {
  role: string
  name: string
  cluster: string
  /** IP addresses and host names, without its own name. */
  addresses: string[]
  /** Real time of creation; the validity begins earlier. */
  madeAt: number
  notBefore: number
  notAfter: number
}

/**
 * Reads a certificate (PEM or DER). It does not check who signed the certificate: TLS has checked that, or the caller
 * must.
 */
export function certificateFacts(certificate: string | Buffer): CertificateFacts {
  const read = new X509Certificate(certificate)
  const field = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(read.subject)?.[1] ?? ''
  return {
    role: field('OU'),
    name: field('CN'),
    cluster: field('O'),
    addresses: (read.subjectAltName ?? '')
      .split(', ')
      .map((entry) => entry.replace(/^(DNS|IP Address):/, ''))
      .filter((entry) => entry !== '' && entry !== field('CN')),
    madeAt: Number.parseInt(read.serialNumber.padStart(32, '0').slice(0, 12), 16),
    notBefore: read.validFromDate.getTime(),
    notAfter: read.validToDate.getTime(),
  }
}

/** SHA-256 of a certificate, hex: a join command pins the authority by this value. */
export function fingerprint(certificate: string | Buffer): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()
}

/** The first certificate of a PEM file without any text around it. Every check uses this certificate. */
export const firstCertificate = (pem: string): string => new X509Certificate(pem).toString()

/** True if `authority` is an authority's certificate and signed `certificate`. */
export function isSignedBy(certificate: string | Buffer, authority: string | Buffer): boolean {
  const issuer = new X509Certificate(authority)
  return issuer.ca && new X509Certificate(certificate).verify(issuer.publicKey)
}

/** Returns the time to renew a certificate: half of its lifetime, counted from its creation. */
export function renewAt({ madeAt, notAfter }: CertificateFacts): number {
  return madeAt + (notAfter - madeAt) / 2
}

/** True if the certificate was made for this private key (PEM). */
export function belongsTo(certificate: string, key: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
}
