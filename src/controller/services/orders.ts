import type { Identity } from '../../identity/identityFolder.ts'
import { remembered } from '../../lib/remembered.ts'
import type { Definition } from '../../definitions/definition.ts'
import type { ProgramPart } from '../../protocol/slice.ts'
import { programParts } from '../../protocol/slices.ts'
import type { DescribedProgram, ServiceOrder, SignedContent } from '../../protocol/serviceOrders.ts'
import { signWith, type Unsigned } from '../signing.ts'

type Signed = Record<string, SignedContent>

/**
 * The orders about the programs of services, as machines get them with their desired states. An order whose content did
 * not change stays as it was signed: most changes concern one service of many.
 */
export class ServiceOrders {
  readonly #last = new Map<string, { certificate: string; term: number; signed: Signed }>()

  of(desired: Unsigned, identity: Identity | null): Signed {
    if (!identity) return {}
    const { certificate } = identity
    const last = this.#last.get(desired.machine)
    // A controller that was restored has a term later than all orders that a machine may have obeyed.
    const before = last?.certificate === certificate && last.term === desired.term ? last.signed : {}
    const sign = signWith(identity, desired)
    const signed: Signed = {}
    for (const [service, content] of contents(desired)) {
      const known = before[service]
      const isSame = known?.content === content
      signed[service] = isSame ? known : { order: sign('service', { id: service, attempt: 0 }, content), content }
    }
    this.#last.set(desired.machine, { certificate, term: desired.term, signed })
    return signed
  }
}

/** Everything that a machine needs for a program of a release, from its desired state. */
export function described(
  desired: Unsigned,
  { release, generation, definition = desired.definitions[release] }: Of,
): DescribedProgram {
  if (!definition) throw new Error(`the desired state names no definition of ${release}: a bug`)
  const all: ProgramPart[] = programParts.map((part) => part(desired, { release, generation }))
  const more = Object.assign({}, ...all.map((one) => one.more)) as Record<string, unknown> // their sum
  const nothing = { variables: {}, settings: {}, callsServices: false, hasSecrets: false }
  return Object.assign({ release, definition }, nothing, ...all, { more }) as DescribedProgram // of what each feature adds
}

interface Of {
  release: string
  generation: string | null
  definition?: Definition
}

/** The content of the order for each service that is to run here, as JSON. */
function* contents(desired: Unsigned): Iterable<[service: string, content: string]> {
  const { instances, prepare, render } = desired
  const programs = [
    ...instances.map(({ service, release, generation, id }) => ({ service, release, generation, instance: id })),
    ...prepare.map(({ service, release, rollout }) => ({ service, release, generation: rollout, isPrepared: true })),
    // Files are filled in before the first instance.
    ...render.map(({ service, release, generation }) => ({ service, release, generation })),
  ] as NamedProgram[]
  for (const [service, all] of Map.groupBy(programs, (one) => one.service)) {
    const generations = new Map(all.map((one) => [one.generation, one]))
    const of: Pick<ServiceOrder, 'instances' | 'prepare'> = {
      instances: Object.fromEntries(all.flatMap((one) => (one.instance ? [[one.instance, one.generation]] : []))),
      prepare: all.flatMap(({ isPrepared, generation }) => (isPrepared ? [generation] : [])),
    }
    const texts = [...generations.values()].map((one) => `${JSON.stringify(one.generation)}:${textOf(desired, one)}`)
    const rest = JSON.stringify({ service, ...of }).slice(1)
    yield [service, `{"generations":{${texts.join()}},${rest}`]
  }
}

interface NamedProgram {
  service: string
  release: string
  generation: string
  /** Id of an instance. */
  instance?: string
  isPrepared?: boolean
}

/** Definitions are long, and the same objects each time. */
function textOf(desired: Unsigned, of: Of): string {
  const { definition, ...others } = described(desired, of)
  return `{"definition":${definitionText(definition)},${JSON.stringify(others).slice(1)}`
}

const definitionText = remembered((definition: Definition) => JSON.stringify(definition))
