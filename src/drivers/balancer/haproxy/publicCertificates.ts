import { haproxyConfig } from './haproxyConfig.ts'
import type { HaproxyFolder } from './haproxyFolder.ts'
import type { HaproxySettings } from './haproxySettings.ts'

/** Whether HAProxy takes the public certificates as they are. Looked at once a change. */
export class PublicCertificates {
  readonly #folder: HaproxyFolder
  readonly #log: (message: string) => void
  #seen: { hash: string; problem: string | null } | null = null

  constructor(folder: HaproxyFolder, log: (message: string) => void) {
    this.#folder = folder
    this.#log = log
  }

  /** In words; `null` when all is well. */
  get problem(): string | null {
    return this.#seen?.problem ?? null
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
    return this.problem === null ? settings : { ...settings, https: null }
  }
}
