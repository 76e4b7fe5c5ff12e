import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { CarriedOrder } from '../../drivers/secrets/secretsHost.ts'
import type { Credential } from '../../drivers/supervisor/systemd/unitText.ts'
import { environmentCredential } from '../../definitions/secrets/references.ts'
import { secretsContent } from '../../identity/order.ts'
import { readUndamaged, replaceJson } from '../../lib/durableJson.ts'
import { makeFolderDurably, writeFileDurably } from '../../lib/durableFile.ts'
import { sha256 } from '../../lib/hash.ts'
import { inParallel } from '../../lib/inParallel.ts'
import type { OperatorError } from '../../lib/operatorError.ts'
import {
  secretContentSchema,
  secretValuesSchema,
  valueId,
  type GivenSecret,
  type SecretContent,
} from '../../protocol/secrets.ts'
import { environmentFile } from '../../systemd/quoting.ts'
import { authentic, isLater, refusedForService } from '../orders.ts'
import type { RootFolder } from '../rootFolder.ts'
import { UnitLinks } from '../unitLinks.ts'
import { opened, sealed, Unopened } from '../credentials.ts'
import type { HelperKey } from './helperKey.ts'

const obeyedSchema = z.object({ term: z.int(), position: z.int(), content: secretContentSchema })
type Obeyed = z.infer<typeof obeyedSchema>

/** Under this name a value is sealed for the helper itself. */
const keptName = 'kept'
/** Each call of systemd-creds takes some milliseconds of one processor. */
const atOnce = 2

interface Parts {
  folder: RootFolder
  key: HelperKey
  now: () => number
}

/**
 * The secrets of this machine's services, in the folder of the privileged helper, sealed with the key of the machine:
 *
 *   secrets/SERVICE/order.json    the newest order of the controller: which generation gets which versions
 *   secrets/SERVICE/values/       the values that it names; a value never changes, and stays while an order names it
 *   secrets/SERVICE/credentials/  the same, each under the name that a unit loads it by
 *   credentials/UNIT/             links to those of one unit, which go with it
 */
export class KeptSecrets {
  /** Of the units that load secrets. */
  readonly links: UnitLinks
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
    this.links = new UnitLinks(join(parts.folder.path, 'credentials'))
  }

  /** The services of which something is kept. */
  services(): string[] {
    const all = join(this.#parts.folder.path, 'secrets')
    return existsSync(all) ? readdirSync(all).filter((service) => existsSync(this.#folder(service, 'values'))) : []
  }

  held(service: string): string[] {
    const all = Object.values(this.#obeyed(service)?.content.generations ?? {}).flatMap(({ secrets }) => secrets)
    return [...new Set(all.map(valueId))].filter((id) => existsSync(this.#valueFile(service, id)))
  }

  async take(service: string, { order: signed, content, values }: CarriedOrder): Promise<void> {
    const { folder, now } = this.#parts
    const about = { folder, kind: 'secrets' as const, signed, content: secretsContent({ content, values }), now: now() }
    const order = authentic(about, (why, cause) => refused(service, why, cause))
    const parsed = secretContentSchema.parse(JSON.parse(content))
    if (order.id !== service || parsed.service !== service) throw refused(service, `the order is meant for ${order.id}`)
    const last = this.#obeyed(service)
    if (last && !isLater(order, last)) throw refused(service, 'this machine has already obeyed a later order')
    if (Object.keys(parsed.generations).length === 0) return this.#forget(service, order)
    const given = Object.values(parsed.generations).flatMap(({ secrets }) => secrets)
    await this.#keep(service, given, values)
    const credentials = await this.#makeCredentials(service, Object.values(parsed.generations))
    this.#remember(service, order, parsed)
    keepOnly(this.#folder(service, 'values'), new Set(given.map((one) => sha256(valueId(one)))))
    keepOnly(this.#folder(service, 'credentials'), credentials)
  }

  has(service: string, generation: string): boolean {
    const found = this.#obeyed(service)?.content.generations[generation]
    return (
      found !== undefined &&
      credentialsOf(found.secrets).every(({ hash }) => existsSync(this.#credentialFile(service, hash)))
    )
  }

  /** The values of a generation, by the names that its release gives them; `null`: it has none here. */
  async values(service: string, generation: string): Promise<Record<string, Buffer> | null> {
    const found = this.#obeyed(service)?.content.generations[generation]
    if (!found) return null
    const values = await Promise.all(found.secrets.map((one) => this.#value(service, one)))
    return Object.fromEntries(found.secrets.map(({ name }, index) => [name, values[index] ?? Buffer.of()]))
  }

  /** The credentials that the unit loads, at links of its own. */
  link(unit: string, { service, release, generation }: Program): Credential[] {
    const found = this.#obeyed(service)?.content.generations[generation]
    if (found?.release !== release)
      throw new Error(`no order of the controller names generation ${generation} of ${service} with this release`)
    const credentials = credentialsOf(found.secrets).map(({ name, hash }) => ({
      ...{ name, path: this.#credentialFile(service, hash), isVariables: name === environmentCredential },
    }))
    return this.links.set(unit, credentials)
  }

  /**
   * Removes what systemd cannot open any more: an order then brings it again. Names one and says why; `null`: everything
   * opens.
   */
  async removeBroken(service: string): Promise<string | null> {
    const generations = Object.values(this.#obeyed(service)?.content.generations ?? {})
    const all = generations.flatMap(({ secrets }) => secrets)
    const files = new Map([
      ...generations
        .flatMap(({ secrets }) => credentialsOf(secrets))
        .map(({ name, hash }) => [this.#credentialFile(service, hash), name] as const),
      ...all.map((one) => [this.#valueFile(service, valueId(one)), keptName] as const),
    ])
    let reason: string | null = null
    for (const [path, name] of files) {
      const broken = existsSync(path) ? await whyBroken(name, path) : null
      if (broken === null) continue
      rmSync(path, { force: true })
      reason ??= name === keptName ? broken : `${name}: ${broken}`
    }
    return reason
  }

  /** Nothing of the service is to run here: only the order stays, so that no earlier one is obeyed. */
  #forget(service: string, order: Pick<Obeyed, 'term' | 'position'>): void {
    makeFolderDurably(this.#folder(service))
    this.#remember(service, order, { service, generations: {} })
    for (const name of ['values', 'credentials']) rmSync(this.#folder(service, name), { recursive: true, force: true })
  }

  /** Does not wait for the disk: the unit that starts by it is written durably, and the controller can send it again. */
  #remember(service: string, { term, position }: Pick<Obeyed, 'term' | 'position'>, content: SecretContent): void {
    replaceJson(join(this.#folder(service), 'order.json'), { term, position, content } satisfies Obeyed)
  }

  async #keep(service: string, given: readonly GivenSecret[], values: string | null): Promise<void> {
    makeFolderDurably(this.#folder(service, 'values'))
    const missing = [...new Set(given.map(valueId))].filter((id) => !existsSync(this.#valueFile(service, id)))
    if (missing.length === 0) return
    const text = values === null ? '{}' : await (await this.#parts.key.read()).open(values)
    const sent = secretValuesSchema.parse(JSON.parse(text))
    const keep = async (id: string): Promise<void> => {
      const value = sent[id]
      if (value === undefined) throw refused(service, `the order lacks the value of ${id}`)
      writeFileDurably(this.#valueFile(service, id), await sealed(keptName, value))
    }
    await inParallel(missing, keep, atOnce)
  }

  /** Returns the names of all files that these generations need. */
  async #makeCredentials(service: string, generations: readonly { secrets: GivenSecret[] }[]): Promise<Set<string>> {
    makeFolderDurably(this.#folder(service, 'credentials'))
    const all = new Map(
      generations.flatMap(({ secrets }) => credentialsOf(secrets).map((one) => [one.hash, one] as const)),
    )
    const make = async ({ name, hash, of }: Needed): Promise<void> => {
      const path = this.#credentialFile(service, hash)
      if (existsSync(path)) return
      const contents = await Promise.all(of.map((one) => this.#value(service, one)))
      writeFileDurably(path, await sealed(name, contentOf(name, of, contents)))
    }
    await inParallel([...all.values()], make, atOnce)
    return new Set(all.keys())
  }

  async #value(service: string, one: GivenSecret): Promise<Buffer> {
    return Buffer.from((await opened(keptName, this.#valueFile(service, valueId(one)))).trim(), 'base64')
  }

  /** `null`: there is none, or a loss of power has damaged it. */
  #obeyed(service: string): Obeyed | null {
    return readUndamaged(join(this.#folder(service), 'order.json'), obeyedSchema)
  }

  #folder(service: string, ...more: string[]): string {
    return join(this.#parts.folder.path, 'secrets', service, ...more)
  }

  #valueFile(service: string, id: string): string {
    return this.#folder(service, 'values', sha256(id))
  }

  #credentialFile(service: string, hash: string): string {
    return this.#folder(service, 'credentials', hash)
  }
}

async function whyBroken(name: string, path: string): Promise<string | null> {
  try {
    await opened(name, path)
    return null
  } catch (error) {
    if (error instanceof Unopened) return error.message
    throw error
  }
}

interface Program {
  service: string
  release: string
  generation: string
}

interface Needed {
  name: string
  /** Of its name and values. */
  hash: string
  of: GivenSecret[]
}

/** One credential for each file, and one for all variables. */
function credentialsOf(secrets: readonly GivenSecret[]): Needed[] {
  const [files, env] = [secrets.filter(({ as }) => as === 'file'), secrets.filter(({ as }) => as === 'env')]
  const needed = (name: string, of: GivenSecret[]): Needed => ({
    ...{ name, of },
    hash: sha256(JSON.stringify([name, ...of.map((one) => [one.name, valueId(one)])])),
  })
  return [
    ...files.map((one) => needed(one.name, [one])),
    ...(env.length === 0 ? [] : [needed(environmentCredential, env)]),
  ]
}

function contentOf(name: string, of: readonly GivenSecret[], contents: readonly Buffer[]): string | Buffer {
  if (name !== environmentCredential) return contents[0] ?? Buffer.of()
  return environmentFile(Object.fromEntries(of.map((one, index) => [one.name, String(contents[index])])))
}

function keepOnly(folder: string, names: ReadonlySet<string>): void {
  for (const name of readdirSync(folder)) if (!names.has(name)) rmSync(join(folder, name), { force: true })
}

const refused = (service: string, why: string, cause?: unknown): OperatorError =>
  refusedForService(service, `the privileged helper rejected the secrets of ${service}: ${why}`, cause)
