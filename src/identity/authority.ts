import { createPublicKey, randomBytes, type webcrypto } from 'node:crypto'
import type { X509Certificate } from '@peculiar/x509'

/** The machine or controller that a certificate identifies. */
export interface Subject {
  role: 'machine' | 'controller'
  /** Name of the machine; for a controller, `controller`. */
  name: string
  /** IP addresses and host names at which the subject is reached, without its own name. */
  addresses: readonly string[]
}

export interface Validity {
  /** Milliseconds since 1970. */
  now: number
  days: number
}

/** The authority that a cluster trusts: a key and the certificate made from the key, both PEM. */
export interface AuthorityFiles {
  key: string
  certificate: string
}

const dayMs = 86_400_000
/** Clocks of machines differ: a certificate is valid from this long before it was made. */
const backdatedMs = 3_600_000
const authorityDays = 20 * 365
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** Loaded only when a certificate is made: loading takes 120 ms, which no other command should wait for. */
async function library(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

/** Makes the authority of a new cluster. ECDSA P-256, which every TLS library supports. */
export async function createAuthority(cluster: string, now: number): Promise<AuthorityFiles> {
  const x509 = await library()
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(now),
    name: [{ O: [cluster] }, { CN: ['Tandem authority'] }],
    notBefore: new Date(now - backdatedMs),
    notAfter: new Date(now + authorityDays * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { key: await privatePem(keys.privateKey), certificate: `${certificate.toString('pem')}\n` }
}

/** Signs the public key of a request (PKCS #10, PEM). Name and rights come from `subject`, never from the request. */
export async function signRequest(
  authority: AuthorityFiles,
  request: string,
  subject: Subject,
  { now, days }: Validity,
): Promise<string> {
  const x509 = await library()
  const asked = new x509.Pkcs10CertificateRequest(request)
  if (!(await asked.verify())) throw new Error('the certificate request is not signed with its own key')
  const issuer = new x509.X509Certificate(authority.certificate)
  const names = [subject.name, ...subject.addresses].map((value) => alternativeName(value))
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(now),
    subject: [{ O: [organisation(issuer)] }, { OU: [subject.role] }, { CN: [subject.name] }],
    issuer: issuer.subject,
    notBefore: new Date(now - backdatedMs),
    notAfter: new Date(now + days * dayMs),
    signingAlgorithm: algorithm,
    publicKey: asked.publicKey,
    signingKey: await signingKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

/** Makes a key that never leaves its machine, and the request for a certificate for that key. Both PEM. */
export async function createRequest(name: string): Promise<{ key: string; request: string }> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  return { key: await privatePem(keys.privateKey), request: await requestOf(name, keys) }
}

/** Makes a request for another certificate for an existing key. PEM. */
export async function repeatRequest(name: string, key: string): Promise<string> {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return requestOf(name, {
    privateKey: await signingKey(key),
    publicKey: await crypto.subtle.importKey('spki', publicKey, algorithm, true, ['verify']),
  })
}

async function requestOf(name: string, keys: webcrypto.CryptoKeyPair): Promise<string> {
  const x509 = await library()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [name] }],
    signingAlgorithm: algorithm,
    keys,
  })
  return `${request.toString('pem')}\n`
}

/**
 * Sixteen bytes, hex: the time of creation (milliseconds, six bytes), then random bytes. So the certificate itself
 * shows whether it is older than its machine's removal, although its validity is backdated, and no list of serial
 * numbers is needed.
 */
function serialNumber(now: number): string {
  return now.toString(16).padStart(12, '0') + randomBytes(10).toString('hex')
}

const alternativeName = (value: string): { type: 'ip' | 'dns'; value: string } => ({
  type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns',
  value,
})

const organisation = (certificate: X509Certificate): string => certificate.subjectName.getField('O')[0] ?? ''

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${bytes.replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
}

async function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
  const bytes = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  return crypto.subtle.importKey('pkcs8', bytes, algorithm, false, ['sign'])
}
