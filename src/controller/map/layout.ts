export interface Place {
  column: number
  row: number
}

interface Edge {
  from: string
  to: string
}

interface Layout {
  /** By node. */
  places: Map<string, Place>
  /** The places that an edge passes between the columns of its ends, left to right; no node stands there. */
  via: (edge: Edge) => Place[]
}

/** Passes over all columns that move connected nodes to the same height. */
const passes = 8

/**
 * Places nodes in columns, callers left of those that they call: a longest path, in which the edge that closes a circle
 * does not count. Rows of a column are in the order of their neighbours; an edge that passes a column has a row there too.
 * `last` stand right of all others. The same input gives the same places.
 */
export function layout(names: readonly string[], edges: readonly Edge[], last: readonly string[]): Layout {
  const known = new Set(names)
  const real = edges.filter(({ from, to }) => known.has(from) && known.has(to) && from !== to)
  const columns = columnsOf(names, real)
  const inner = names.filter((name) => !last.includes(name))
  const end = Math.max(-1, ...inner.map((name) => columns.get(name) ?? 0)) + 1
  for (const name of last) columns.set(name, end)
  const chains = new Map(real.map((edge) => [keyOf(edge), chainOf(edge, columns)]))
  const links = [...chains].flatMap(([key, chain]) => {
    const { from, to } = real.find((edge) => keyOf(edge) === key) ?? { from: '', to: '' }
    const stops = [from, ...chain, to]
    return stops.slice(1).map((stop, index) => ({ from: stops[index] ?? '', to: stop }))
  })
  const rows = rowsOf([...names, ...[...chains.values()].flat()], links, columns)
  const placeOf = (name: string): Place => ({ column: columns.get(name) ?? 0, row: rows.get(name) ?? 0 })
  return {
    places: new Map(names.map((name) => [name, placeOf(name)])),
    via: (edge) => (chains.get(keyOf(edge)) ?? []).map(placeOf),
  }
}

/** No name has a space. */
const keyOf = ({ from, to }: Edge): string => `${from} ${to}`

/** A stop in each column between the ends of an edge that goes right. */
function chainOf(edge: Edge, columns: Map<string, number>): string[] {
  const [from, to] = [columns.get(edge.from) ?? 0, columns.get(edge.to) ?? 0]
  const stops: string[] = []
  for (let column = from + 1; column < to; column++) {
    const stop = `${keyOf(edge)} ${column}`
    columns.set(stop, column)
    stops.push(stop)
  }
  return stops
}

function columnsOf(names: readonly string[], edges: readonly Edge[]): Map<string, number> {
  const callers = Map.groupBy(edges, ({ to }) => to)
  const columns = new Map<string, number>()
  const open = new Set<string>()
  const column = (name: string): number => {
    const known = columns.get(name)
    if (known !== undefined) return known
    open.add(name)
    const before = (callers.get(name) ?? []).filter(({ from }) => !open.has(from)).map(({ from }) => column(from))
    open.delete(name)
    const found = Math.max(-1, ...before) + 1
    columns.set(name, found)
    return found
  }
  for (const name of names) column(name)
  return columns
}

function rowsOf(names: readonly string[], links: readonly Edge[], columns: Map<string, number>): Map<string, number> {
  const neighbours = new Map<string, string[]>(names.map((name) => [name, []]))
  for (const { from, to } of links) {
    neighbours.get(from)?.push(to)
    neighbours.get(to)?.push(from)
  }
  const byColumn = [...Map.groupBy(names, (name) => columns.get(name) ?? 0)].sort(([a], [b]) => a - b)
  const rows = new Map<string, number>()
  for (const [, column] of byColumn) for (const [row, name] of column.entries()) rows.set(name, row)
  for (let pass = 0; pass < passes; pass++) {
    for (const [, column] of pass % 2 === 0 ? byColumn : byColumn.toReversed()) {
      const heights = new Map(column.map((name) => [name, height(name, neighbours, rows)]))
      const sorted = column.toSorted((a, b) => (heights.get(a) ?? 0) - (heights.get(b) ?? 0))
      for (const [row, name] of sorted.entries()) rows.set(name, row)
    }
  }
  return rows
}

/** The mean row of the neighbours; that of the node itself, if it has none. */
function height(name: string, neighbours: Map<string, string[]>, rows: Map<string, number>): number {
  const own = rows.get(name) ?? 0
  const around = neighbours.get(name) ?? []
  return around.length === 0 ? own : around.reduce((sum, one) => sum + (rows.get(one) ?? 0), 0) / around.length
}
