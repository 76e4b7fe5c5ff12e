import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import type { CertificateFile, Certificates } from '../doctor/machineFacts.ts'
import { belongsTo, certificateFacts, isSignedBy, renewAt } from '../identity/certificate.ts'
import { IdentityFolder } from '../identity/identityFolder.ts'

/** Extensions of files beside a PEM file that HAProxy reads by name, and not as certificates. */
const besidePem = ['.key', '.issuer', '.ocsp', '.sctl']

/**
 * Reads this machine's certificate, HAProxy's copy of it (`null`: there is none), and the public certificates of a
 * folder.
 */
export function certificateFiles(identity: string, copy: string | null, folder: string | null): Certificates {
  const found: Certificates = { files: [], unread: [] }
  const own = new IdentityFolder(identity)
  look(found, own.pem, 'identity', () => [ownFile(own)])
  const [mine] = found.files
  if (copy !== null && mine) look(found, copy, 'copy', () => [copyFile(own, mine, copy)])
  if (folder === null || !existsSync(folder)) return found
  look(found, folder, 'public', () => {
    for (const name of readdirSync(folder).toSorted()) {
      const path = join(folder, name)
      look(found, path, 'public', () => publicFile(path))
    }
    return []
  })
  return found
}

/** A file that cannot be read does not keep the others from being examined. */
function look(found: Certificates, path: string, kind: CertificateFile['kind'], read: () => CertificateFile[]): void {
  try {
    found.files.push(...read())
  } catch (error) {
    const isDenied = error instanceof Error && 'code' in error && ['EACCES', 'EPERM'].includes(String(error.code))
    found.unread.push({ path, kind, why: error instanceof Error ? error.message : String(error), isDenied })
  }
}

function ownFile(own: IdentityFolder): CertificateFile {
  const { key, certificate, authority } = own.read()
  const facts = certificateFacts(pemIn(certificate))
  return {
    ...{ path: own.pem, kind: 'identity', name: facts.name, notAfter: facts.notAfter, renewAt: renewAt(facts) },
    ...{ hasItsKey: isKeyOf(certificate, key), isSigned: isSignedBy(certificate, authority), isCurrent: null },
  }
}

function copyFile(own: IdentityFolder, mine: CertificateFile, path: string): CertificateFile {
  const isCurrent = existsSync(path) && readFileSync(path, 'utf8').trim() === readFileSync(own.pem, 'utf8').trim()
  return { ...mine, path, kind: 'copy', renewAt: null, isCurrent }
}

/** A PEM file with a certificate; its key is in the file or beside it. Skips the same files as HAProxy. */
function publicFile(path: string): CertificateFile[] {
  if (basename(path).startsWith('.') || besidePem.includes(extname(path)) || !statSync(path).isFile()) return []
  const text = pemIn(readFileSync(path, 'utf8'))
  const keyFile = `${path}.key`
  const key = text.includes('PRIVATE KEY') ? text : existsSync(keyFile) ? readFileSync(keyFile, 'utf8') : ''
  const { name, addresses, notAfter } = certificateFacts(text)
  const hasItsKey = isKeyOf(text, key)
  return [
    {
      ...{ path, kind: 'public', name: name || (addresses[0] ?? basename(path)), notAfter },
      ...{ renewAt: null, hasItsKey, isSigned: null, isCurrent: null },
    },
  ]
}

function pemIn(text: string): string {
  if (!/-----BEGIN [\w ]*CERTIFICATE-----/.test(text))
    throw new Error('the file has no line -----BEGIN CERTIFICATE-----')
  return text
}

function isKeyOf(certificate: string, key: string): boolean {
  try {
    return belongsTo(certificate, key)
  } catch {
    return false // no key, or a damaged key
  }
}
