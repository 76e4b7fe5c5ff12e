import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateFile } from '../doctor/machineFacts.ts'
import { belongsTo, certificateFacts, isSignedBy, renewAt } from '../identity/certificate.ts'
import { IdentityFolder } from '../identity/identityFolder.ts'

/** This machine's own, HAProxy's copy of it (`null`: none is kept), and the public ones of a folder. */
export function certificateFiles(identity: string, copy: string | null, folder: string | null): CertificateFile[] {
  const own = new IdentityFolder(identity)
  return [
    ownFile(own),
    ...(copy === null ? [] : [copyFile(own, copy)]),
    ...(folder === null || !existsSync(folder) ? [] : readdirSync(folder).toSorted()).flatMap((name) =>
      publicFile(join(folder ?? '', name)),
    ),
  ]
}

function ownFile(own: IdentityFolder): CertificateFile {
  const { key, certificate, authority } = own.read()
  const facts = certificateFacts(certificate)
  return {
    ...{ path: own.pem, kind: 'identity', notAfter: facts.notAfter, renewAt: renewAt(facts) },
    ...{ hasItsKey: belongsTo(certificate, key), isSigned: isSignedBy(certificate, authority), isCurrent: null },
  }
}

function copyFile(own: IdentityFolder, path: string): CertificateFile {
  const isCurrent = existsSync(path) && readFileSync(path, 'utf8').trim() === readFileSync(own.pem, 'utf8').trim()
  return { ...ownFile(own), path, kind: 'copy', renewAt: null, isCurrent }
}

/** A PEM file with a certificate; its key is in it or beside it, as HAProxy reads them. */
function publicFile(path: string): CertificateFile[] {
  if (path.endsWith('.key')) return []
  const text = readFileSync(path, 'utf8')
  const keyFile = `${path}.key`
  const key = text.includes('PRIVATE KEY') ? text : existsSync(keyFile) ? readFileSync(keyFile, 'utf8') : ''
  const facts = certificateFacts(text)
  const hasItsKey = key !== '' && belongsTo(text, key)
  return [{ path, kind: 'public', notAfter: facts.notAfter, renewAt: null, hasItsKey, isSigned: null, isCurrent: null }]
}
