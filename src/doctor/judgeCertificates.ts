import type { Finding } from '../protocol/checkup.ts'
import { wrong } from './findings.ts'
import type { CertificateFile } from './machineFacts.ts'

const dayMs = 86_400_000
/** A renewal is tried every hour: what is late by more did not work. */
const renewalGraceMs = 6 * 3_600_000
/** For what people renew. */
const noticeMs = 14 * dayMs

export function judgeCertificates(files: CertificateFile[], now: number): Finding[] {
  return files.flatMap((file) => judge(file, now).slice(0, 1))
}

/** The gravest first. */
function judge(
  { path, kind, notAfter, renewAt, hasItsKey, isSigned, isCurrent }: CertificateFile,
  now: number,
): Finding[] {
  const found: Finding[] = []
  const add = (what: string, next: string): void => void found.push(wrong('certificates', `${path}: ${what}`, next))
  const renew = renewals[kind]
  if (!hasItsKey) add('its private key is of another certificate', renew)
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
