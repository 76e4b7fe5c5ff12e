import { mostCertificates, type Finding, type ListedCertificate } from '../protocol/checkup.ts'
import { unchecked, wrong } from './findings.ts'
import type { CertificateFile, Certificates, UnreadCertificate } from './machineFacts.ts'

const dayMs = 86_400_000
/** A renewal is tried every hour: a longer delay means that renewals failed. */
const renewalGraceMs = 6 * 3_600_000
/** Notice period for certificates that people renew. */
const noticeMs = 14 * dayMs

export function judgeCertificates({ files, unread }: Certificates, now: number): Finding[] {
  return [...unread.map(judgeUnread), ...files.flatMap((file) => judge(file, now).slice(0, 1))]
}

/** Each certificate once: HAProxy's copy is that of the machine. */
export function listCertificates({ files }: Certificates): ListedCertificate[] {
  const listed = files.flatMap(({ kind, name, notAfter }): ListedCertificate[] =>
    kind === 'copy'
      ? []
      : [{ name, kind: kind === 'identity' ? 'own' : 'public', until: new Date(notAfter).toISOString() }],
  )
  return listed.slice(0, mostCertificates)
}

function judgeUnread({ path, kind, why, isDenied }: UnreadCertificate): Finding {
  if (isDenied) return unchecked('certificates', `${path}: ${why}`)
  const next =
    kind === 'public'
      ? 'remove the file from the folder, or replace it by a certificate: HAProxy reads every file in the folder'
      : renewals[kind]
  return wrong('certificates', `${path} contains no certificate: ${why}`, next)
}

/** Returns the most severe finding first. */
function judge(
  { path, kind, notAfter, renewAt, hasItsKey, isSigned, isCurrent }: CertificateFile,
  now: number,
): Finding[] {
  const found: Finding[] = []
  const add = (what: string, next: string): void => void found.push(wrong('certificates', `${path}: ${what}`, next))
  const renew = renewals[kind]
  if (!hasItsKey) add('the private key is missing, damaged, or belongs to another certificate', renew)
  if (isSigned === false) add('the certificate is not signed by the authority that this machine trusts', renew)
  if (notAfter <= now) add(`the certificate expired on ${dayOf(notAfter)}`, renew)
  if (isCurrent === false)
    add("the copy differs from this machine's current certificate", 'systemctl restart tandem-agent.service')
  if (renewAt !== null && now > renewAt + renewalGraceMs)
    add(`the certificate should have been renewed on ${dayOf(renewAt)}; it is valid until ${dayOf(notAfter)}`, renew)
  if (renewAt === null && kind === 'public' && notAfter - now < noticeMs)
    add(`the certificate expires on ${dayOf(notAfter)}`, renew)
  return found
}

const renewals: Record<CertificateFile['kind'], string> = {
  identity:
    'journalctl -u tandem-agent   shows why the renewal failed; to renew by hand: tandem agent certificate request, tandem controller sign, tandem agent certificate install',
  copy: 'systemctl restart tandem-agent.service',
  public: 'replace the file by a new certificate: HAProxy loads the file automatically',
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)
