import type { Definition } from '../definition.ts'
import type { YamlSource } from '../yamlSource.ts'

export function warnAboutHealth(definition: Definition, source: YamlSource): void {
  warnAboutDelay(definition, source)
  const { health, listen } = definition
  if (health.command === undefined || listen !== 'http') return
  for (const key of ['path', 'host', 'status', 'header']) {
    const path = ['health', key]
    if (source.has(path)) source.warn(path, 'has no effect with `health.command`: the command decides')
  }
}

/**
 * `within` counts from the start, so that it alone tells how long a rollout may wait. With a delay that leaves no time for a
 * second probe, the first one that fails fails the rollout.
 */
function warnAboutDelay({ health: { delayMs = 0, withinMs } }: Definition, source: YamlSource): void {
  if (delayMs < withinMs) return
  const message = `as long as \`health.within\` (${withinMs / 1000} s, also counted from the start), or longer: the first probe that fails fails the rollout`
  source.warn(['health', 'delay'], message)
}
