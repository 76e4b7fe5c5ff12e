import type { Definition, Listen, Overlay } from './definition.ts'
import {
  definitionShape,
  overlayShape,
  type WrittenDefinition,
  type WrittenOverlay,
  type DefinitionShape,
} from './definitionShape.ts'
import { checkLengths, checkPlaceholders } from './environmentChecks.ts'
import { featureDefinitionRules, featureVariables, namedVariables } from './features.ts'
import { keyHomes } from './keyHomes.ts'
import type { Problem } from './problem.ts'
import { checkRoutes } from './routeChecks.ts'
import { warnAbout } from './warnings.ts'
import { YamlSource, type Path } from './yamlSource.ts'

export interface ParsedDefinition {
  definition: Definition
  /** Doubtful settings that are no errors; sorted by position. */
  warnings: Problem[]
}

const homes = keyHomes(definitionShape.schema)

/**
 * Reads a `tandem.yaml`. `file` is only named in messages. For any text, the only error it throws is one
 * `DefinitionError` (`E_DEFINITION`) with all problems of the file.
 */
export function parseDefinition(text: string, file: string, shape = definitionShape): ParsedDefinition {
  const source = new YamlSource(text, file, homes)
  const written = shape.read(source.root, [], source)
  const definition = normalise(written, shape, source)
  const overlays = Object.entries(written.environments).map(([name, { env }]) => [name, env ?? {}] as const)
  const replaced = { ...definition, overlays: Object.fromEntries(overlays) }
  for (const check of featureDefinitionRules) check(replaced, source)
  const variables = featureVariables(definition)
  refuseClashes(variables, source)
  const given = Object.fromEntries(namedVariables(variables).map((name) => [name, '']))
  checkPlaceholders({ ...replaced, env: { ...given, ...definition.env } }, source)
  checkLengths(replaced, source)
  warnAbout(definition, source)
  source.throwProblems()
  return { definition, warnings: source.warnings }
}

/** A variable has one source. */
function refuseClashes(variables: Record<string, string[]>, source: YamlSource): void {
  const setBy = new Map<string, string>()
  for (const [key, names] of Object.entries(variables)) {
    for (const name of new Set(names)) {
      const other = setBy.get(name)
      if (other === undefined) setBy.set(name, key)
      else source.problem([key, name], `\`${other}\` sets ${name} too; give one of both another name`)
    }
  }
}

function normalise(written: WrittenDefinition, shape: DefinitionShape, source: YamlSource): Definition {
  const { listen, routes } = written
  if (listen === 'tcp' && routes === null && source.isSound(['listen'])) {
    source.problem(['listen'], '`listen: tcp` needs `routes` with a port, such as routes: [{ port: 5672 }]')
  }
  const stored = shape.store(written)
  const { host, ...health } = stored.health
  const overlays = Object.entries(written.environments).map(([name, overlay]) => {
    return [name, overlayOf(overlay, listen, ['environments', name], source)]
  })
  return {
    ...stored,
    health: host !== null || namesHost(written) ? stored.health : health,
    routes: checkRoutes(routes, listen, ['routes'], source),
    environments: Object.fromEntries(overlays),
  }
}

/** Where no route names a host, a definition keeps the same bytes as before `health.host` existed. */
function namesHost({ routes, environments }: WrittenDefinition): boolean {
  const all = [routes, ...Object.values(environments).map((overlay) => overlay.routes)]
  return all.some((some) => some?.some(({ host }) => host !== null))
}

/** Only the keys that the overlay sets: a key that it leaves out must not hide the value below. */
function overlayOf(overlay: WrittenOverlay, listen: Listen, path: Path, source: YamlSource): Overlay {
  const { routes: _, ...stored } = overlayShape.store(overlay)
  const routes = checkRoutes(overlay.routes, listen, [...path, 'routes'], source)
  return { ...stored, ...(routes === null ? {} : { routes }) }
}
