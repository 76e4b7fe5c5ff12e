import { dirname } from 'node:path'
import { haproxyConfig } from './haproxyConfig.ts'
import type { ForwardingTls, HaproxyFolder } from './haproxyFolder.ts'
import type { HaproxyLimits, HaproxySettings } from './haproxySettings.ts'
import { watchFolders } from './watchedFolders.ts'

export interface PublicCertificates {
  port: number
  /** A folder of PEM files. */
  certificates: string
  /** Where people put them, and what brings them from there, when HAProxy may not read that. */
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

/** What HAProxy proves itself by: this machine's certificate to other machines, and the public ones to clients. */
export class Certificates {
  readonly #options: CertificatesOptions
  #notBrought: string | null = null
  /** The public ones are looked at once a change. */
  #seen: { hash: string; problem: string | null } | null = null
  #watch: { close: () => void } | null = null

  constructor(options: CertificatesOptions) {
    this.#options = options
  }

  /** In words; none when all is well. */
  get problems(): string[] {
    return [this.#notBrought, this.#seen?.problem ?? null].filter((one) => one !== null)
  }

  /** Brings the public ones to HAProxy. What it has goes on where this fails: that is said, and it is tried again. */
  async bring(): Promise<void> {
    const before = this.#notBrought
    const copied = this.#options.https?.copy?.() ?? Promise.resolve()
    this.#notBrought = await copied.then(() => null, notBrought)
    if (this.#notBrought !== null && this.#notBrought !== before) this.#options.log(this.#notBrought)
  }

  /** Takes them over as they are now; their hash, which changes with any of them. */
  take(): string {
    const { folder, tls, https } = this.#options
    return folder.takeCertificates(tls, https?.certificates ?? null)
  }

  /** One bad certificate must not take plain requests along: https is then left out, and said. */
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
      : 'there is no file in it'
  }

  /** `takeUp` is called when any may have been renewed, after the public ones were brought. */
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
      failed: (error) =>
        log('renewed certificates may not have been taken up; it is tried again', { error: String(error) }),
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
  `renewed public certificates may be missing: ${error instanceof Error ? error.message : String(error)}`
