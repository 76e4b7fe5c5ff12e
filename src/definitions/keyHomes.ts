import type { JsonSchema } from './shapes/shape.ts'

/** The place of each key name of a file, as `rollout.drain`; the shallowest place wins. */
export function keyHomes(schema: JsonSchema): Map<string, string> {
  const homes = new Map<string, string>()
  let level: [string, JsonSchema][] = [['', schema]]
  while (level.length > 0) {
    const next: [string, JsonSchema][] = []
    for (const [prefix, { properties = {} }] of level) {
      for (const [name, child] of Object.entries(properties)) {
        const path = prefix === '' ? name : `${prefix}.${name}`
        if (!homes.has(name)) homes.set(name, path)
        next.push([path, child.items ?? child])
      }
    }
    level = next
  }
  return homes
}
