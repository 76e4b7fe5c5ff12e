import type { Logger } from 'pino'
import type { ApiClient } from '../api/client.ts'
import { createRequest } from '../identity/authority.ts'
import { certificateFacts, renewAt } from '../identity/certificate.ts'
import type { IdentityFolder, Identity } from '../identity/identityFolder.ts'

/** How often it is looked whether renewal is due; also how soon it is tried again. */
const checkMs = 3_600_000

interface Options {
  folder: IdentityFolder
  client: () => ApiClient
  /** What uses the certificate from its files takes it up anew. */
  renewed: () => Promise<void>
  logger: Logger
  now: () => number
}

/**
 * This machine's identity, renewed at half its life with a new key made here. The new one is shown from the next
 * connection on; those that are open stay open.
 */
export class CertificateKeeper {
  #options: Options
  #identity: Identity
  #timer: NodeJS.Timeout | undefined
  #trying: Promise<void> | null = null

  constructor(options: Options) {
    this.#options = options
    this.#identity = options.folder.read()
  }

  /** The same object until it is renewed. */
  get identity(): Identity {
    return this.#identity
  }

  start(): void {
    this.#timer = setInterval(() => this.check(), checkMs)
    this.check()
  }

  /** Renews when it is due. Never rejects: a failure is said, and tried again. */
  check(): void {
    if (this.#options.now() < renewAt(certificateFacts(this.#identity.certificate))) return
    this.#trying ??= this.#renew()
      .catch((error: unknown) => this.#options.logger.warn({ err: error }, this.#whyItMatters()))
      .finally(() => (this.#trying = null))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#trying
  }

  async #renew(): Promise<void> {
    const { folder, client, renewed, logger } = this.#options
    const { key, request } = await createRequest('machine')
    const { certificate, authority } = await client().call('renew', { body: { request } })
    const identity = { key, certificate, authority }
    folder.write(identity)
    this.#identity = identity
    await renewed()
    logger.info({ until: this.#until() }, "this machine's certificate was renewed")
  }

  #until(): string {
    return new Date(certificateFacts(this.#identity.certificate).notAfter).toISOString()
  }

  #whyItMatters(): string {
    return `this machine's certificate could not be renewed; it is good until ${this.#until()}, trying again every hour`
  }
}
