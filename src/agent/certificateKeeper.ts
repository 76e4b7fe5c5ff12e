import type { Logger } from 'pino'
import type { ApiClient } from '../api/client.ts'
import { createRequest } from '../identity/authority.ts'
import { every, type Clock } from '../lib/clock.ts'
import { certificateFacts, renewAt } from '../identity/certificate.ts'
import type { IdentityFolder, Identity } from '../identity/identityFolder.ts'

/** Interval between checks whether renewal is due; also the delay before a retry. */
const checkMs = 3_600_000

interface Options {
  folder: IdentityFolder
  client: () => ApiClient
  /** Lets programs that read the certificate from its files load the new one. */
  renewed: () => Promise<void>
  logger: Logger
  clock: Clock
}

/**
 * This machine's identity, renewed at half of the certificate's lifetime with a new key that is made here. New
 * connections use the new certificate; open connections stay open.
 */
export class CertificateKeeper {
  #options: Options
  #identity: Identity
  #stop: () => void = () => {}
  #trying: Promise<void> | null = null

  constructor(options: Options) {
    this.#options = options
    this.#identity = options.folder.read()
  }

  /** Returns the same object until the identity is renewed. */
  get identity(): Identity {
    return this.#identity
  }

  start(): void {
    this.#stop = every(this.#options.clock, checkMs, () => this.check())
    this.check()
  }

  /** Renews the certificate if renewal is due. Never rejects: a failure is logged and retried. */
  check(): void {
    if (this.#options.clock.now() < renewAt(certificateFacts(this.#identity.certificate))) return
    this.#trying ??= this.#renew()
      .catch((error: unknown) => this.#options.logger.warn({ err: error }, this.#whyItMatters()))
      .finally(() => (this.#trying = null))
  }

  async close(): Promise<void> {
    this.#stop()
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
    logger.info({ until: this.#until() }, "renewed this machine's certificate")
  }

  #until(): string {
    return new Date(certificateFacts(this.#identity.certificate).notAfter).toISOString()
  }

  #whyItMatters(): string {
    return `could not renew this machine's certificate, which is valid until ${this.#until()}; retrying every hour`
  }
}
