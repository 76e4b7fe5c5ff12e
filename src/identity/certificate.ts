import { createPrivateKey, X509Certificate } from 'node:crypto'

/** What a certificate of ours says. Times in milliseconds since 1970. */
export interface CertificateFacts {
  role: string
  name: string
  cluster: string
  /** IP addresses and host names, its own name not among them. */
  addresses: string[]
  /** When it was really made: its validity begins earlier. */
  madeAt: number
  notBefore: number
  notAfter: number
}

/** Reads a certificate (PEM or DER). It says nothing of who signed it: TLS has seen to that, or the caller must. */
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

/** sha256 of a certificate, hex: what a join command pins the authority with. */
export function fingerprint(certificate: string | Buffer): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()
}

/** The first certificate of a PEM file, and nothing that stands around it: the one that all here go by. */
export const firstCertificate = (pem: string): string => new X509Certificate(pem).toString()

/** True when `certificate` was signed by `authority`, which is one. */
export function isSignedBy(certificate: string | Buffer, authority: string | Buffer): boolean {
  const issuer = new X509Certificate(authority)
  return issuer.ca && new X509Certificate(certificate).verify(issuer.publicKey)
}

/** When to ask for the next one: half of its life, counted from when it was made. */
export function renewAt({ madeAt, notAfter }: CertificateFacts): number {
  return madeAt + (notAfter - madeAt) / 2
}

/** True when the certificate is of this private key (PEM). */
export function belongsTo(certificate: string, key: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
}
