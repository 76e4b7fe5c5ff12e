import { chmodSync, existsSync, lstatSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../lib/durableFile.ts'
import { readJson, writeJsonDurably } from '../lib/durableJson.ts'
import { makeFolder } from '../lib/makeFolder.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** What one side of a TLS connection shows, and whom it trusts. All PEM. */
export interface Identity {
  key: string
  certificate: string
  authority: string
}

interface Pending {
  key: string
  request: string
}

/**
 * A machine's or a controller's own identity on disk, mode 0600: `identity.pem` holds key and certificate together, so
 * that no moment has the one without the other (and as HAProxy reads them); `authority.pem` whom it trusts.
 */
export class IdentityFolder {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  get pem(): string {
    return join(this.folder, 'identity.pem')
  }

  get authorityPem(): string {
    return join(this.folder, 'authority.pem')
  }

  exists(): boolean {
    return existsSync(this.pem)
  }

  read(): Identity {
    const both = readFileSync(this.pem, 'utf8')
    const [key = '', certificate = ''] = both.split(/(?=-----BEGIN CERTIFICATE-----)/)
    return { key, certificate, authority: readFileSync(this.authorityPem, 'utf8') }
  }

  /** A key that is being signed, and the request for it: the answer may not have arrived. */
  pending(): Pending | null {
    return readJson(this.#pendingJson) as Pending | null // written below
  }

  keep(pending: Pending): Pending {
    this.make()
    writeJsonDurably(this.#pendingJson, pending)
    return pending
  }

  forgetPending(): void {
    rmSync(this.#pendingJson, { force: true })
  }

  get #pendingJson(): string {
    return join(this.folder, 'joining.json')
  }

  /** Makes it. What somebody else has put there is not written into: it may lead anywhere. */
  make(): void {
    makeFolder(this.folder)
    const about = lstatSync(this.folder)
    if (!about.isDirectory() || about.uid !== process.geteuid?.()) throw notOurs(this.folder)
    chmodSync(this.folder, 0o700)
  }

  write({ key, certificate, authority }: Identity): void {
    this.make()
    writeFileDurably(this.authorityPem, authority)
    writeFileDurably(this.pem, `${key.trimEnd()}\n${certificate.trimEnd()}\n`)
  }
}

const notOurs = (folder: string): OperatorError =>
  new OperatorError('E_ENVIRONMENT', `${folder} is somebody else's, or no folder`, {
    subject: folder,
    next: 'a machine that has joined keeps its key there; to join anew, move it away first',
  })
