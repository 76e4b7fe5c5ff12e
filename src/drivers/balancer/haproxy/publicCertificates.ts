import { haproxyConfig } from './haproxyConfig.ts'
import type { HaproxyFolder } from './haproxyFolder.ts'
import type { HaproxySettings } from './haproxySettings.ts'

/** Brings the public certificates to HAProxy, and says whether it takes them as they are: looked at once a change. */
export class PublicCertificates {
  readonly #folder: HaproxyFolder
  readonly #copy: () => Promise<void>
  readonly #log: (message: string) => void
  #notBrought: string | null = null
  #seen: { hash: string; problem: string | null } | null = null

  constructor(folder: HaproxyFolder, copy: () => Promise<void>, log: (message: string) => void) {
    this.#folder = folder
    this.#copy = copy
    this.#log = log
  }

  /** In words; none when all is well. */
  get problems(): string[] {
    return [this.#notBrought, this.#seen?.problem ?? null].filter((one) => one !== null)
  }

  get wasBrought(): boolean {
    return this.#notBrought === null
  }

  /** What HAProxy has goes on where this fails: that is said, and it is tried again now and then. */
  async bring(): Promise<void> {
    const before = this.#notBrought
    this.#notBrought = await this.#copy().then(() => null, notBrought)
    if (this.#notBrought !== null && this.#notBrought !== before) this.#log(this.#notBrought)
  }

  /** One bad certificate must not take plain requests along: https is then left out, and said. */
  async only(settings: HaproxySettings): Promise<HaproxySettings> {
    const { https, certificatesHash: hash } = settings
    if (!https) return settings
    if (this.#seen?.hash !== hash) {
      const refusal = this.#folder.hasCertificates(https.certificates)
        ? await this.#folder.refusal(haproxyConfig(null, settings))
        : 'there is no file in it'
      const problem = refusal === null ? null : `no https at port ${https.port}: ${https.certificates}: ${refusal}`
      if (problem) this.#log(problem)
      this.#seen = { hash, problem }
    }
    return this.#seen.problem === null ? settings : { ...settings, https: null }
  }
}

const notBrought = (error: unknown): string =>
  `renewed public certificates may be missing: ${error instanceof Error ? error.message : String(error)}`
