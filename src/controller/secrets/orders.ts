import { mostServiceBytes, tooLarge } from '../../definitions/secrets/paths.ts'
import { secretsContent } from '../../identity/order.ts'
import { valueId, type GivenSecret, type SecretContent, type SecretOrder } from '../../protocol/secrets.ts'
import { generationsOf, versionedReferences } from '../../rollout/secrets/desired.ts'
import { noHelperKey } from '../../rollout/secrets/feature.ts'
import { textTo } from '../../sealing/ageFile.ts'
import type { Controller } from '../controller.ts'
import { refusalError } from '../refusalError.ts'
import type { SecretKeeper } from './secretKeeper.ts'

interface Asked {
  machine: string
  service: string
  /** The values that the machine keeps already. */
  held: readonly string[]
  /** Public key of age of the machine. Only on a laptop does the agent itself name it. */
  recipient: string | null
}

interface Parts {
  controller: Controller
  keeper: SecretKeeper
}

/**
 * Orders with the secrets of one service for one machine: encrypted to the key of the machine's privileged helper, and
 * signed. The agent passes them on. An order names everything that the machine should have of the service now, so the
 * helper refuses an older one.
 */
export class SecretOrders {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async make({ machine, service, held, recipient }: Asked): Promise<SecretOrder> {
    const { controller } = this.#parts
    const { state } = controller
    const content: SecretContent = {
      service,
      generations: Object.fromEntries(
        generationsOf(state, machine, service).flatMap((generation) => {
          const secrets = givenIn(state, versionedReferences(state, generation))
          return secrets === null ? [] : [[generation.generation, { release: generation.release, secrets }]]
        }),
      ),
    }
    // Signed as of the state in which the content was found: values are read while others decide.
    const sign = controller.signFor(machine)
    const text = JSON.stringify(content)
    const values = await this.#values(content, held, () => this.#recipientOf(machine, recipient))
    const order = sign?.('secrets', { id: service, attempt: 0 }, secretsContent({ content: text, values })) ?? null
    return { order, content: text, values }
  }

  /** `null`: the machine has all of them. */
  async #values(content: SecretContent, held: readonly string[], recipient: () => string): Promise<string | null> {
    const all = Object.values(content.generations).flatMap(({ secrets }) => secrets)
    const wanted = new Map(all.map((one) => [valueId(one), one]))
    for (const id of held) wanted.delete(id)
    if (wanted.size === 0) return null
    const values: Record<string, string> = {}
    let bytes = 0
    for (const [id, { path, field, version }] of wanted) {
      const value = (await this.#parts.keeper.read(path, version)).fields[field]
      if (!value) throw new Error(`${path} has no field ${field} in version ${version}: a bug`)
      values[id] = value.toString('base64')
      bytes += value.byteLength
    }
    if (bytes > mostServiceBytes) throw tooLarge(`all secrets of ${content.service}`, mostServiceBytes)
    return Buffer.from(await textTo(recipient(), JSON.stringify(values))).toString('base64')
  }

  #recipientOf(machine: string, own: string | null): string {
    const { helperKeys, config } = this.#parts.controller.state
    const known = config.laptop ? own : helperKeys[machine]
    if (known) return known
    throw refusalError(noHelperKey(machine))
  }
}

/** `null`: after a log was restored, a version of an earlier history may not be there. */
function givenIn(
  { secrets }: Controller['state'],
  references: ReturnType<typeof versionedReferences>,
): GivenSecret[] | null {
  const given = references.map(({ name, as, path, field, version }): GivenSecret | null => {
    const stored = secrets[path]?.versions.find((one) => one.version === version)
    const only = field ?? (stored?.fields.length === 1 ? stored.fields[0] : undefined)
    if (!stored || only === undefined || !stored.fields.includes(only)) return null
    return { name, as, path, field: only, version: stored.version, position: stored.position }
  })
  return given.every((one) => one !== null) ? given : null
}
