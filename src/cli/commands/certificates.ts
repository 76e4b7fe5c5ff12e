import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { repeatRequest } from '../../identity/authority.ts'
import { belongsTo, certificateFacts, isSignedBy } from '../../identity/certificate.ts'
import { JoinedFolder } from '../../identity/joinedMachine.ts'
import { asOwnerOf } from '../../lib/asOwner.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'

/** Renews a certificate by hand in three steps, in case no controller answers until the certificate expires. */
type DataFlags = CommonFlags & { data: string }

export async function requestCertificate({ host, out }: Session, flags: DataFlags): Promise<number> {
  const folder = new JoinedFolder(resolve(host.cwd, flags.data))
  const { machine, settings } = folder.read()
  const request = await repeatRequest(machine, folder.identity.read().key)
  out.result({ machine, address: settings.address, request }, () => request.trimEnd())
  out.note(
    `next, on the computer that holds the authority:  tandem controller sign FILE --machine ${machine} --address ${settings.address}`,
  )
  return 0
}

export async function signCertificate(
  { host, out }: Session,
  flags: DataFlags & { machine: string; address: string },
  file: string,
): Promise<number> {
  const { machine, address } = flags
  const about = { data: resolve(host.cwd, flags.data), machine, address }
  const request = read(resolve(host.cwd, file))
  const certificate = await host.entryPoints.signOffline({ ...about, request })
  out.result({ machine, certificate, until: untilOf(certificate) }, () => certificate.trimEnd())
  out.note(`next, on ${machine}:  tandem agent certificate install FILE`)
  return 0
}

export async function installCertificate({ host, out }: Session, flags: DataFlags, file: string): Promise<number> {
  const folder = new JoinedFolder(resolve(host.cwd, flags.data))
  const { machine } = folder.read()
  const { key, authority } = folder.identity.read()
  const certificate = read(resolve(host.cwd, file))
  const wrong = whatIsWrong(certificate, { key, authority, machine })
  if (wrong !== null) {
    const next = 'tandem agent certificate request   prints the request to sign'
    throw new OperatorError('E_OTHER_CLUSTER', `${file} is not a certificate for this machine: ${wrong}`, {
      subject: file,
      next,
    })
  }
  asOwnerOf(folder.identity.folder, () => folder.identity.write({ key, certificate, authority }))
  out.result({ machine, until: untilOf(certificate) }, () => `installed; valid until ${untilOf(certificate)}`)
  out.note('next  systemctl restart tandem-agent   loads the certificate; services continue to run')
  return 0
}

function whatIsWrong(
  certificate: string,
  { key, authority, machine }: { key: string; authority: string; machine: string },
): string | null {
  try {
    if (!isSignedBy(certificate, authority)) return 'another authority signed it'
    if (certificateFacts(certificate).name !== machine) return `it belongs to ${certificateFacts(certificate).name}`
    return belongsTo(certificate, key) ? null : 'it belongs to another key'
  } catch {
    return 'it is not a readable certificate'
  }
}

const untilOf = (certificate: string): string => new Date(certificateFacts(certificate).notAfter).toISOString()

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new OperatorError('E_ENVIRONMENT', `cannot read ${path}`, {
      subject: path,
      next: 'check the path and the permissions of the file',
      cause,
    })
  }
}
