import { chmodSync, existsSync, lstatSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../lib/durableFile.ts'
import { readJson, writeJsonDurably } from '../lib/durableJson.ts'
import { makeFolder } from '../lib/makeFolder.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** The key and certificate that one side of a TLS connection presents, and the authority that it trusts. All PEM. */
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
 * The identity of a machine or controller on disk, mode 0600. `identity.pem` holds key and certificate together, so
 * that one never exists without the other (HAProxy also reads them in this form). `authority.pem` holds the trusted
 * authority.
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

  /** A key whose certificate was requested, and the request: the answer may not have arrived. */
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

  /** Makes the folder. A folder or link of another user is refused, since it may lead anywhere. */
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
  new OperatorError('E_ENVIRONMENT', `${folder} is not a folder that belongs to this user`, {
    subject: folder,
    next: `a machine that has joined keeps its key there; to join again, first move ${folder} to another place`,
  })
