import { definitionShape } from './definitionShape.ts'
import type { Definition } from './definition.ts'
import type { Kept, KeptGroup } from './shapes/kept.ts'

/*
 * The keys of stored definitions as paths: `health.everyMs`, `routes.port`. Lists and maps add nothing to a path. An agent
 * refuses a definition with a key that it does not know, and with it the whole desired state, so an agent says which it knows.
 */

/** Every path that this version knows. */
const knownPaths = (): string[] => [...new Set(pathsOf(definitionShape.kept))].sort()

/** The paths that a stored definition holds. */
const pathsIn = (definition: Definition): string[] => [...new Set(heldPaths(definitionShape.kept, definition))]

/** The keys of the version before agents reported theirs: every agent knows them. No key is added here. */
const before: Record<string, string> = {
  '': 'build build.command build.output build.test env environments health idleMs instances jail limits listen machines notify notify.watchdogMs prepare rollout rollout.drainMs rollout.strategy routes run service stop stop.signal stop.withinMs',
  environments:
    'env instances limits limits.bodyBytes limits.cpu limits.files limits.memoryBytes limits.tasks machines routes routes.byDefault routes.expose routes.host routes.path routes.port',
  health: 'everyMs host path settleMs timeoutMs withinMs',
  jail: 'addressFamilies addresses capabilities denyWriteExecute devices namespaces seeProcesses systemCalls user write',
  limits: 'bodyBytes cpu files memoryBytes tasks',
  routes: 'byDefault expose host path port',
}
const pathsOfAll: ReadonlySet<string> = new Set(
  Object.entries(before).flatMap(([group, keys]) => keys.split(' ').map((key) => (group ? `${group}.${key}` : key))),
)

/** As agents of this version report them: the paths that they know beyond those that every agent knows. */
export const laterPaths: readonly string[] = knownPaths().filter((path) => !pathsOfAll.has(path))

/** The first path of a definition that an agent does not know which reported these; `null`: it knows all. */
export const firstUnknown = (definition: Definition, reported: readonly string[]): string | null =>
  pathsIn(definition).find((path) => !pathsOfAll.has(path) && !reported.includes(path)) ?? null

function pathsOf(kept: Kept): string[] {
  const form = formOf(kept)
  if (form === null) return []
  return form.flatMap(({ keys }) =>
    Object.entries(keys).flatMap(([name, key]) => [name, ...pathsOf(key.kept).map((path) => `${name}.${path}`)]),
  )
}

function heldPaths(kept: Kept, value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (kept.kind === 'list') return (value as unknown[]).flatMap((item) => heldPaths(kept.item, item)) // it was parsed so
  if (kept.kind === 'map') return Object.values(value).flatMap((one) => heldPaths(kept.value, one))
  const forms = formOf(kept) ?? []
  return Object.entries(value).flatMap(([name, inner]) => {
    if (inner === undefined) return []
    const keys = forms.flatMap((form: KeptGroup) => form.keys[name] ?? [])
    return [name, ...keys.flatMap((key) => heldPaths(key.kept, inner)).map((path) => `${name}.${path}`)]
  })
}

/** The forms that a value, an item of a list or an entry of a map can have; `null`: it has no keys. */
function formOf(kept: Kept): readonly KeptGroup[] | null {
  switch (kept.kind) {
    case 'group':
      return [kept]
    case 'either':
      return kept.of
    case 'list':
      return formOf(kept.item)
    case 'map':
      return formOf(kept.value)
    default:
      return null
  }
}
