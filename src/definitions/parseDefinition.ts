import type { Definition, Limits, Overlay } from './definition.ts'
import { definitionShape, type WrittenDefinition, type WrittenLimits, type WrittenOverlay } from './definitionShape.ts'
import { checkLengths, checkPlaceholders } from './environmentChecks.ts'
import { keyHomes } from './keyHomes.ts'
import { jailIn } from './jailShape.ts'
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
export function parseDefinition(text: string, file: string): ParsedDefinition {
  const source = new YamlSource(text, file, homes)
  const written = definitionShape.read(source.root, [], source)
  const definition = normalise(written, source)
  const overlays = Object.entries(written.environments).map(([name, { env }]) => [name, env ?? {}] as const)
  const replaced = { ...definition, overlays: Object.fromEntries(overlays) }
  checkPlaceholders(replaced, source)
  checkLengths(replaced, source)
  warnAbout(definition, source)
  source.throwProblems()
  return { definition, warnings: source.warnings }
}

function normalise(written: WrittenDefinition, source: YamlSource): Definition {
  const { listen, health, rollout, stop } = written
  const jail = jailIn(written.jail)
  const { ready, watchdog } = written.notify
  if (listen === 'tcp' && written.routes === null && source.isSound(['listen'])) {
    source.problem(['listen'], '`listen: tcp` needs `routes` with a port, such as routes: [{ port: 5672 }]')
  }
  return {
    service: written.service,
    run: written.run,
    build: written.build,
    prepare: written.prepare,
    listen,
    health: {
      path: health.path,
      ...(health.host !== null || namesHost(written) ? { host: health.host } : {}),
      everyMs: health.every,
      timeoutMs: health.timeout,
      withinMs: health.within,
      settleMs: health.settle,
    },
    routes: checkRoutes(written.routes, listen, ['routes'], source),
    machines: written.machines,
    instances: written.instances,
    rollout: { strategy: rollout.strategy, drainMs: rollout.drain },
    stop: { signal: stop.signal, withinMs: stop.within },
    env: written.env,
    limits: limitsIn(written.limits),
    idleMs: written.idle,
    ...(Object.keys(jail).length > 0 ? { jail } : {}),
    ...(ready !== true && watchdog === null ? {} : { notify: { watchdogMs: watchdog } }),
    environments: Object.fromEntries(
      Object.entries(written.environments).map(([name, overlay]) => [
        name,
        overlayOf(overlay, written, ['environments', name], source),
      ]),
    ),
  }
}

/** Where no route names a host, a definition keeps the same bytes as before `health.host` existed. */
function namesHost({ routes, environments }: WrittenDefinition): boolean {
  const all = [routes, ...Object.values(environments).map((overlay) => overlay.routes)]
  return all.some((some) => some?.some(({ host }) => host !== null))
}

function limitsIn({ memory, cpu, tasks, body, files }: WrittenLimits): Limits {
  return { memoryBytes: memory, cpu, tasks, bodyBytes: body, ...(files === null ? {} : { files }) }
}

/** Only the keys that the overlay sets: a key that it leaves out must not hide the value below. */
function overlayOf(overlay: WrittenOverlay, base: WrittenDefinition, path: Path, source: YamlSource): Overlay {
  const routes = checkRoutes(overlay.routes, base.listen, [...path, 'routes'], source)
  const limits = overlay.limits === null ? null : limitsIn(overlay.limits)
  const saidLimits = Object.entries(limits ?? {}).filter(([, limit]) => limit !== null)
  return {
    ...(overlay.env === null ? {} : { env: overlay.env }),
    ...(routes === null ? {} : { routes }),
    ...(overlay.machines === null ? {} : { machines: overlay.machines }),
    ...(overlay.instances === null ? {} : { instances: overlay.instances }),
    ...(limits === null ? {} : { limits: Object.fromEntries(saidLimits) }),
  }
}
