import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'

export interface Imported {
  from: string
  to: string
  typeOnly: boolean
}

export interface ParsedSource {
  file: string
  source: string
  imports: Imported[]
  program: unknown
}

export type Node = Record<string, unknown>

/** Parses a file of the checkout: `file` is relative to `root`. Throws if it has errors of syntax. */
export function parseSource(root: string, file: string): ParsedSource {
  const source = readFileSync(join(root, file), 'utf8')
  const result = parseSync(file, source)
  if (result.errors.length > 0) throw new Error(`${file}: ${JSON.stringify(result.errors)}`)
  const imports: Imported[] = []
  for (const found of result.module.staticImports) {
    imports.push({
      from: file,
      to: found.moduleRequest.value,
      typeOnly: found.entries.length > 0 && found.entries.every((entry) => entry.isType),
    })
  }
  for (const found of result.module.staticExports) {
    for (const entry of found.entries) {
      if (entry.moduleRequest) imports.push({ from: file, to: entry.moduleRequest.value, typeOnly: entry.isType })
    }
  }
  for (const found of result.module.dynamicImports) {
    const text = source.slice(found.moduleRequest.start, found.moduleRequest.end).replaceAll(/['"`]/g, '')
    imports.push({ from: file, to: text, typeOnly: false })
  }
  return { file, source, imports, program: result.program }
}

/** Calls `see` for each node of a syntax tree. */
export function visit(node: unknown, see: (node: Node) => void): void {
  if (Array.isArray(node)) {
    for (const child of node) visit(child, see)
  } else if (typeof node === 'object' && node !== null) {
    const record = node as Node // an AST node, or a plain value whose `type` is absent
    if (typeof record['type'] === 'string') see(record)
    for (const [key, child] of Object.entries(record)) if (key !== 'parent') visit(child, see)
  }
}

/** Functions with more than `most` lines, as `file:line has N lines`. */
export function longFunctions({ file, source, program }: ParsedSource, most: number): string[] {
  const long: string[] = []
  visit(program, (node) => {
    if (!/Function/.test(String(node['type'])) || node['body'] === null) return
    const { start, end } = node as { start?: number; end?: number }
    const lines = source.slice(start, end).split('\n').length
    if (lines > most) long.push(`${file}:${source.slice(0, start).split('\n').length} has ${lines} lines`)
  })
  return long
}

/** Cycles of imports between files; `edges`: the files that each file imports. */
export function importCycles(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const cycles: string[] = []
  const walk = (file: string, path: string[]): void => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      return
    }
    if (done.has(file)) return
    for (const next of edges.get(file) ?? []) walk(next, [...path, file])
    done.add(file)
  }
  for (const file of edges.keys()) walk(file, [])
  return cycles
}
