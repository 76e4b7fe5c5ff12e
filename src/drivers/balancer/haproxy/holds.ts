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

/** Requests and connections that wait for an instance. */
export interface HeldWork {
  all: number
  /** By backend. Empty where the script of an older Tandem still runs. */
  backends: Map<string, number>
}

/** Reads the answers of several workers to `tandem held`: the sum, then a line for each backend. */
export function heldWorkIn(texts: readonly string[]): HeldWork {
  const held: HeldWork = { all: 0, backends: new Map() }
  for (const text of texts) {
    held.all += Number.parseInt(text, 10) || 0
    for (const [, backend = '', count] of text.matchAll(/^([a-z]+_[a-z0-9_-]+) (\d+)$/gm)) {
      held.backends.set(backend, (held.backends.get(backend) ?? 0) + Number(count))
    }
  }
  return held
}
