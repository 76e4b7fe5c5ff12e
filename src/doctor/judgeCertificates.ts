import type { Finding } from '../protocol/checkup.ts'
import { unchecked, wrong } from './findings.ts'
import type { CertificateFile, Certificates, UnreadCertificate } from './machineFacts.ts'

const dayMs = 86_400_000
/** A renewal is tried every hour: what is late by more did not work. */
const renewalGraceMs = 6 * 3_600_000
/** For what people renew. */
const noticeMs = 14 * dayMs

export function judgeCertificates({ files, unread }: Certificates, now: number): Finding[] {
  return [...unread.map(judgeUnread), ...files.flatMap((file) => judge(file, now).slice(0, 1))]
}

function judgeUnread({ path, kind, why, isDenied }: UnreadCertificate): Finding {
  if (isDenied) return unchecked('certificates', `${path}: ${why}`)
  const next =
    kind === 'public'
      ? 'take it out of the folder, or put a certificate there: HAProxy reads every file in it'
      : renewals[kind]
  return wrong('certificates', `${path} holds no certificate: ${why}`, next)
}

/** The gravest first. */
function judge(
  { path, kind, notAfter, renewAt, hasItsKey, isSigned, isCurrent }: CertificateFile,
  now: number,
): Finding[] {
  const found: Finding[] = []
  const add = (what: string, next: string): void => void found.push(wrong('certificates', `${path}: ${what}`, next))
  const renew = renewals[kind]
  if (!hasItsKey) add('its private key is missing, damaged, or of another certificate', renew)
  if (isSigned === false) add('it is not signed by the authority that this machine trusts', renew)
  if (notAfter <= now) add(`it expired on ${dayOf(notAfter)}`, renew)
  if (isCurrent === false) add('it is not the one that this machine has now', 'systemctl restart tandem-agent.service')
  if (renewAt !== null && now > renewAt + renewalGraceMs)
    add(`it should have been renewed on ${dayOf(renewAt)}, and is good until ${dayOf(notAfter)}`, renew)
  if (renewAt === null && kind === 'public' && notAfter - now < noticeMs) add(`it expires on ${dayOf(notAfter)}`, renew)
  return found
}

const renewals: Record<CertificateFile['kind'], string> = {
  identity:
    'journalctl -u tandem-agent says why it was not renewed; by hand: tandem agent certificate request, tandem controller sign, tandem agent certificate install',
  copy: 'systemctl restart tandem-agent.service',
  public: 'put a new one in its place: HAProxy takes it up by itself',
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)
