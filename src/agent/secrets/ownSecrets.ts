import type { CarriedOrder, SecretsHost } from '../../drivers/secrets/secretsHost.ts'
import type { SecretValues } from '../../drivers/supervisor/supervisor.ts'
import { KeyedQueue } from '../../lib/keyedQueue.ts'
import { secretContentSchema, secretValuesSchema, valueId, type SecretContent } from '../../protocol/secrets.ts'
import { AgeKey } from '../../sealing/ageKey.ts'

/**
 * The secrets of services on a laptop: in the memory of the agent, with which its instances end. Controller, agent and
 * instances run as one user there, so nothing is signed.
 */
export class OwnSecrets implements SecretsHost {
  #key: Promise<AgeKey> | null = null
  readonly #queue = new KeyedQueue()
  readonly #contents = new Map<string, SecretContent>()
  readonly #values = new Map<string, Map<string, Buffer>>()

  async recipient(): Promise<string> {
    return (await this.#ownKey()).recipient
  }

  async services(): Promise<string[]> {
    return [...this.#contents.keys()]
  }

  async held(service: string): Promise<string[]> {
    return [...(this.#values.get(service)?.keys() ?? [])]
  }

  take(service: string, carried: CarriedOrder): Promise<void> {
    return this.#queue.run(service, () => this.#take(service, carried))
  }

  async #take(service: string, { content, values }: CarriedOrder): Promise<void> {
    const parsed = secretContentSchema.parse(JSON.parse(content))
    const before = this.#values.get(service) ?? new Map<string, Buffer>()
    const sent = values === null ? {} : secretValuesSchema.parse(JSON.parse(await (await this.#ownKey()).open(values)))
    const all = new Map([
      ...before,
      ...Object.entries(sent).map(([id, value]) => [id, Buffer.from(value, 'base64')] as const),
    ])
    const used = new Set(Object.values(parsed.generations).flatMap(({ secrets }) => secrets.map(valueId)))
    this.#values.set(service, new Map([...all].filter(([id]) => used.has(id))))
    if (Object.keys(parsed.generations).length > 0) this.#contents.set(service, parsed)
    else this.#contents.delete(service)
  }

  async has(service: string, generation: string): Promise<boolean> {
    const given = this.#contents.get(service)?.generations[generation]?.secrets
    return given !== undefined && given.every((one) => this.#values.get(service)?.has(valueId(one)) === true)
  }

  values(service: string, generation: string): SecretValues {
    const values: SecretValues = { files: {}, env: {} }
    for (const one of this.#contents.get(service)?.generations[generation]?.secrets ?? []) {
      const value = this.#values.get(service)?.get(valueId(one))
      if (!value) throw new Error(`the value of ${one.path} is missing: a bug`)
      if (one.as === 'file') values.files[one.name] = value
      else values.env[one.name] = value.toString('utf8')
    }
    return values
  }

  #ownKey(): Promise<AgeKey> {
    return (this.#key ??= AgeKey.make())
  }
}
