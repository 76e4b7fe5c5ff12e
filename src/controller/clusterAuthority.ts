import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority, createRequest, signRequest, type AuthorityFiles } from '../identity/authority.ts'
import { certificateFacts, fingerprint, renewAt } from '../identity/certificate.ts'
import { IdentityFolder, type Identity } from '../identity/identityFolder.ts'
import { writeFileDurably } from '../lib/durableFile.ts'
import { makeFolder } from '../lib/makeFolder.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** How long certificates last. They are renewed at half of it: a controller may be gone for two weeks. */
export const certificateDays = 30

/** The cluster's authority in the controller's data folder: signs who may speak for which machine. */
export class ClusterAuthority {
  #files: AuthorityFiles
  #own: IdentityFolder
  #identity: Identity
  #days: number

  /** Makes the authority of a new cluster and its controller's own identity. Refuses a folder that has one. */
  static async create(data: string, about: { cluster: string; addresses: string[]; now: number }): Promise<void> {
    const folder = join(data, 'authority')
    if (existsSync(join(folder, 'key.pem'))) {
      throw new OperatorError('E_USAGE', `${folder} holds an authority already`, {
        subject: folder,
        next: 'run that controller, or choose another --data; a new authority would shut every machine out',
      })
    }
    makeFolder(folder)
    const { key, certificate } = await createAuthority(about.cluster, about.now)
    writeFileDurably(join(folder, 'certificate.pem'), certificate)
    const identity = await ownIdentity({ key, certificate }, about.addresses, about.now, certificateDays)
    new IdentityFolder(join(data, 'identity')).write(identity)
    // Last: its presence says that all the rest is there.
    writeFileDurably(join(folder, 'key.pem'), key)
  }

  /** `null` where none was made, as on a laptop. */
  static open(data: string, days = certificateDays): ClusterAuthority | null {
    const folder = join(data, 'authority')
    if (!existsSync(join(folder, 'key.pem'))) return null
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
    const files = { key: read('key.pem'), certificate: read('certificate.pem') }
    return new ClusterAuthority(files, new IdentityFolder(join(data, 'identity')), days)
  }

  constructor(files: AuthorityFiles, own: IdentityFolder, days: number) {
    this.#files = files
    this.#own = own
    this.#identity = own.read()
    this.#days = days
  }

  /** PEM: what every part of the cluster trusts. */
  get certificate(): string {
    return this.#files.certificate
  }

  /** What a join command names, so that a machine joins this cluster and no other. */
  get pin(): string {
    return fingerprint(this.#files.certificate)
  }

  /** The controller's own. */
  get identity(): Identity {
    return this.#identity
  }

  /** A certificate for `machine`, reached at `address`, of the key in `request` (PKCS #10, PEM). */
  async sign(request: string, machine: string, address: string, now: number): Promise<string> {
    try {
      const subject = { role: 'machine' as const, name: machine, addresses: [address] }
      return await signRequest(this.#files, request, subject, { now, days: this.#days })
    } catch (cause) {
      const next = 'run the join command again: it makes a new one'
      throw new OperatorError('E_USAGE', 'the certificate request cannot be used', { subject: machine, next, cause })
    }
  }

  /** Renews the controller's own certificate when it is due; `true` when it did. */
  async renewOwn(now: number): Promise<boolean> {
    const facts = certificateFacts(this.#identity.certificate)
    if (now < renewAt(facts)) return false
    const renewed = await ownIdentity(this.#files, facts.addresses, now, this.#days)
    // First: one that cannot be written counts as not renewed, and is tried again.
    this.#own.write(renewed)
    this.#identity = renewed
    return true
  }
}

async function ownIdentity(
  authority: AuthorityFiles,
  addresses: string[],
  now: number,
  days: number,
): Promise<Identity> {
  const { key, request } = await createRequest('controller')
  const subject = { role: 'controller' as const, name: 'controller', addresses }
  const certificate = await signRequest(authority, request, subject, { now, days })
  return { key, certificate, authority: authority.certificate }
}
