import { dirname } from 'node:path'
import { haproxyConfig } from './haproxyConfig.ts'
import type { ForwardingTls, HaproxyFolder } from './haproxyFolder.ts'
import type { HaproxyLimits, HaproxySettings } from './haproxySettings.ts'
import { watchFolders } from './watchedFolders.ts'

export interface PublicCertificates {
  port: number
  /** A folder of PEM files. */
  certificates: string
  /**
   * The folder where people put the certificates, and the function that copies them, if HAProxy may not read that
   * folder.
   */
  source?: string
  copy?: () => Promise<void>
}

interface CertificatesOptions {
  folder: HaproxyFolder
  tls: ForwardingTls
  https: PublicCertificates | undefined
  limits: HaproxyLimits
  log: (message: string, about?: Record<string, unknown>) => void
}

/**
 * The certificates of HAProxy: the certificate of this machine for other machines, and the public certificates for
 * clients.
 */
export class Certificates {
  readonly #options: CertificatesOptions
  #notBrought: string | null = null
  /** The public certificates are checked once per change. */
  #seen: { hash: string; problem: string | null } | null = null
  #watch: { close: () => void } | null = null

  constructor(options: CertificatesOptions) {
    this.#options = options
  }

  /** Problems as text; empty if there are none. */
  get problems(): string[] {
    return [this.#notBrought, this.#seen?.problem ?? null].filter((one) => one !== null)
  }

  /**
   * Copies the public certificates to HAProxy. If that fails, HAProxy keeps its certificates; the failure is reported
   * and the copy retried.
   */
  async bring(): Promise<void> {
    const before = this.#notBrought
    const copied = this.#options.https?.copy?.() ?? Promise.resolve()
    this.#notBrought = await copied.then(() => null, notBrought)
    if (this.#notBrought !== null && this.#notBrought !== before) this.#options.log(this.#notBrought)
  }

  /** Takes over the current certificates. Returns their hash, which changes with any of them. */
  take(): string {
    const { folder, tls, https } = this.#options
    return folder.takeCertificates(tls, https?.certificates ?? null)
  }

  /** A bad certificate must not affect plain requests: https is then omitted, and the problem reported. */
  async only(settings: HaproxySettings): Promise<HaproxySettings> {
    const { https, certificatesHash: hash } = settings
    if (!https) return settings
    if (this.#seen?.hash !== hash) {
      const refusal = await this.#refusal(https.certificates, settings)
      const problem = refusal === null ? null : `no https at port ${https.port}: ${https.certificates}: ${refusal}`
      if (problem) this.#options.log(problem)
      this.#seen = { hash, problem }
    }
    return this.#seen.problem === null ? settings : { ...settings, https: null }
  }

  async #refusal(certificates: string, settings: HaproxySettings): Promise<string | null> {
    const { folder } = this.#options
    return folder.hasCertificates(certificates)
      ? folder.refusal(haproxyConfig(null, settings))
      : 'the folder has no file'
  }

  /** `takeUp` is called when a certificate may have been renewed, after the public certificates were copied. */
  watch(takeUp: () => Promise<void>): void {
    const { tls, https, log } = this.#options
    const folders = [tls.ca, tls.cert, tls.key].map((path) => dirname(path))
    this.#watch = watchFolders(https ? [...folders, https.source ?? https.certificates] : folders, {
      changed: async () => {
        await this.bring()
        await takeUp()
        return this.#againMs()
      },
      firstMs: this.#againMs(),
      failed: (error) => log('could not load renewed certificates; retrying', { error: String(error) }),
    })
  }

  #againMs(): number {
    const { certificatesMs, certificatesAgainMs } = this.#options.limits
    return this.problems.length === 0 ? certificatesMs : Math.min(certificatesMs, certificatesAgainMs)
  }

  close(): void {
    this.#watch?.close()
  }
}

const notBrought = (error: unknown): string =>
  `could not copy the public certificates to HAProxy: ${error instanceof Error ? error.message : String(error)}`
