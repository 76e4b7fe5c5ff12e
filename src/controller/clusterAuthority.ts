import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority, createRequest, signRequest, type AuthorityFiles } from '../identity/authority.ts'
import { certificateFacts, fingerprint, renewAt } from '../identity/certificate.ts'
import { IdentityFolder, type Identity } from '../identity/identityFolder.ts'
import { writeFileDurably } from '../lib/durableFile.ts'
import { makeFolder } from '../lib/makeFolder.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** Lifetime of certificates. Each is renewed at half of it, so the controller may be down for two weeks. */
export const certificateDays = 30

/**
 * The cluster's authority, kept in the controller's data folder. It signs the certificates of machines and controllers.
 */
export class ClusterAuthority {
  #files: AuthorityFiles
  #own: IdentityFolder
  #identity: Identity
  #days: number

  /**
   * Makes the authority of a new cluster and the controller's own identity. Refuses a folder that already holds one.
   */
  static async create(data: string, about: { cluster: string; addresses: string[]; now: number }): Promise<void> {
    const folder = join(data, 'authority')
    if (existsSync(join(folder, 'key.pem'))) {
      throw new OperatorError('E_USAGE', `${folder} already holds an authority`, {
        subject: folder,
        next: 'run the existing controller, or choose another --data; a new authority would lock out every machine',
      })
    }
    makeFolder(folder)
    const { key, certificate } = await createAuthority(about.cluster, about.now)
    writeFileDurably(join(folder, 'certificate.pem'), certificate)
    const identity = await ownIdentity({ key, certificate }, about.addresses, about.now, certificateDays)
    new IdentityFolder(join(data, 'identity')).write(identity)
    // Written last: the key's presence means that all other files are complete.
    writeFileDurably(join(folder, 'key.pem'), key)
  }

  /** Returns `null` where no authority was made, as on a laptop. */
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

  /** PEM certificate that every part of the cluster trusts. */
  get certificate(): string {
    return this.#files.certificate
  }

  /** Fingerprint in a join command, so that a machine joins this cluster and no other. */
  get pin(): string {
    return fingerprint(this.#files.certificate)
  }

  /** The controller's own key and certificate. */
  get identity(): Identity {
    return this.#identity
  }

  /** Signs a certificate for `machine`, reached at `address`, with the key in `request` (PKCS #10, PEM). */
  async sign(request: string, machine: string, address: string, now: number): Promise<string> {
    try {
      const subject = { role: 'machine' as const, name: machine, addresses: [address] }
      return await signRequest(this.#files, request, subject, { now, days: this.#days })
    } catch (cause) {
      const next = 'run the join command again: it makes a new request'
      throw new OperatorError('E_USAGE', 'the certificate request is not valid', { subject: machine, next, cause })
    }
  }

  /** Renews the controller's own certificate when it is due. Returns true when it renewed the certificate. */
  async renewOwn(now: number): Promise<boolean> {
    const facts = certificateFacts(this.#identity.certificate)
    if (now < renewAt(facts)) return false
    const renewed = await ownIdentity(this.#files, facts.addresses, now, this.#days)
    // Written first: a certificate that cannot be written counts as not renewed, and the renewal is retried.
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
