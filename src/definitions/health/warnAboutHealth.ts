import type { Definition } from '../definition.ts'
import type { YamlSource } from '../yamlSource.ts'

/**
 * `within` counts from the start, so that it alone tells how long a rollout may wait. With a delay that leaves no time for a
 * second probe, the first one that fails fails the rollout.
 */
export function warnAboutHealth({ health: { delayMs = 0, withinMs } }: Definition, source: YamlSource): void {
  if (delayMs < withinMs) return
  const message = `as long as \`health.within\` (${withinMs / 1000} s, also counted from the start), or longer: the first probe that fails fails the rollout`
  source.warn(['health', 'delay'], message)
}
