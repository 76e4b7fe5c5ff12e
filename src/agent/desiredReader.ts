import { z } from 'zod'
import { desiredStateSchema, type DesiredState } from '../protocol/desiredState.ts'

type Definitions = DesiredState['definitions']
type Known = Map<string, { text: string; definition: Definitions[string] }>

const loose = desiredStateSchema.extend({ definitions: z.record(z.string(), z.unknown()) })
const { definitions: definitionsSchema } = desiredStateSchema.shape

/**
 * Reads the desired states that come from the controller. Each holds the definitions of all services, and hardly ever
 * another one than the message before: a definition that came before, letter for letter, is not checked and built
 * again. Checking them took most of an agent's time for a rollout beside 200 services.
 */
export class DesiredReader {
  #known: Known = new Map()

  /** Throws where the message is not a desired state that this version understands. */
  read(message: string): DesiredState {
    const { definitions, ...rest } = loose.parse(JSON.parse(message))
    const texts = Object.entries(definitions).map(([release, one]) => [release, JSON.stringify(one)] as const)
    const unknown = texts.filter(([release, text]) => this.#known.get(release)?.text !== text)
    const parsed = definitionsSchema.parse(Object.fromEntries(unknown.map(([id]) => [id, definitions[id]])))
    const known: Known = new Map()
    const all: Definitions = {}
    for (const [release, text] of texts) {
      const definition = parsed[release] ?? this.#known.get(release)?.definition
      if (!definition) throw new Error(`the definition of ${release} is neither known nor new: a bug`)
      known.set(release, { text, definition })
      all[release] = definition
    }
    // Only those of the last message are remembered.
    this.#known = known
    return { ...rest, definitions: all }
  }
}
