import type { ServedRoute } from './servedRoute.ts'

/** The time in ms for which the requests of each backend are held while it has no server. */
export function heldBackends(routes: ServedRoute[]): Map<string, number> {
  return new Map(routes.flatMap(({ backend, planned }) => (planned.holdMs === null ? [] : [[backend, planned.holdMs]])))
}

/** Reads `show map`: an id, a key and a value on each line. */
export function holdsIn(text: string): Map<string, number> {
  const entries = text.split('\n').map((line) => line.split(' '))
  return new Map(
    entries.flatMap(([, key, value]) => (key === undefined || value === undefined ? [] : [[key, Number(value)]])),
  )
}

/** Commands that change the running map into the wanted map; `end` runs after the changes that end the wait. */
export function holdChanges(
  running: Map<string, number>,
  wanted: Map<string, number>,
  map: string,
): { begin: string[]; end: string[] } {
  const begin: string[] = []
  for (const [backend, ms] of wanted) {
    if (running.get(backend) === ms) continue
    begin.push(`${running.has(backend) ? 'set' : 'add'} map ${map} ${backend} ${ms}`)
  }
  const over = [...running.keys()].filter((backend) => !wanted.has(backend))
  return { begin, end: over.map((backend) => `del map ${map} ${backend}`) }
}
