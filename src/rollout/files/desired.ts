import type { Definition } from '../../definitions/definition.ts'
import { remembered } from '../../lib/remembered.ts'
import type { Render, TemplateVariables } from '../../protocol/files.ts'
import { generationsOn, type NamedGeneration } from '../generationsOn.ts'
import type { State } from '../state.ts'

/** The files of each generation that runs on a machine, or is about to. */
export function rendersOn(state: State, machine: string): Render[] {
  const services = new Set(
    Object.values(state.generations).flatMap(({ service, release }) =>
      withFiles(state.releases).has(release) ? [service] : [],
    ),
  )
  return [...services].sort().flatMap((service) =>
    generationsOn(state, machine, service).flatMap((generation) => {
      const definition = state.releases[generation.release]?.definition
      return definition?.files ? [render(state, machine, generation, { ...definition, files: definition.files })] : []
    }),
  )
}

const withFiles = remembered(
  (releases: State['releases']) =>
    new Set(Object.values(releases).flatMap(({ id, definition }) => (definition.files === undefined ? [] : [id]))),
)

function render(
  state: State,
  machine: string,
  { id, service, release, pins }: NamedGeneration,
  definition: Definition & Pick<Render, 'files'>,
): Render {
  const values = pins?.config?.values ?? {}
  return {
    ...{ service, generation: id, release, files: definition.files },
    variables: templateVariables(state, machine, { definition, release, values }),
  }
}

/** The values that templates of a release may name on a machine, except secrets. */
export function templateVariables(
  { config: { cluster }, machines }: State,
  machine: string,
  { definition, release, values }: { definition: Definition; release: string; values: Record<string, string> },
): TemplateVariables {
  const { service, config: settings = {} } = definition
  return {
    cluster: { name: cluster },
    machine: { name: machine, address: machines[machine]?.endpoints.host ?? '' },
    service: { name: service, release },
    config: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typed(settings[name], value)])),
  }
}

/** The value as templates compare and calculate with it: `false` is false, and 8 is less than 10. */
function typed(
  { type = 'text' }: NonNullable<Definition['config']>[string] = {},
  value: string,
): string | number | boolean {
  switch (type) {
    case 'text':
      return value
    case 'integer':
    case 'number':
      return Number(value)
    case 'boolean':
      return value === 'true'
  }
}
