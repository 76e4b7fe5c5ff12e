import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { driverKinds } from './definitions/driverKinds.ts'
import {
  importCycles,
  longFunctions,
  parseSource,
  visit,
  type Imported,
  type Node,
} from './lib/testing/parsedSource.ts'

/** Names that a pure room may not use: they give access to a clock, randomness, the process or the outside. */
const impureGlobals = new Set(
  'process setTimeout setInterval setImmediate fetch performance crypto console globalThis queueMicrotask'.split(' '),
)

/** The files of agent and controller that make their parts, or work without an agent or controller: they pick the clock. */
const composed = new Set(
  ['agent/startAgent', 'controller/startController', 'controller/foundCluster', 'controller/signOffline'].map(
    (file) => `src/${file}.ts`,
  ),
)

/** Errors of JavaScript: without a code, and without a next step. */
const plainErrors = new Set(['Error', 'TypeError', 'RangeError', 'SyntaxError', 'AggregateError'])

/** Nobody can hold more of a function in mind. */
const mostLines = 100

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const architecture = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8')

/** The rooms that decide, and those that they are made of: the room table says which. */
const pureRooms = [
  ...['decision', 'decider', 'problems', 'doctor'],
  ...[...architecture.matchAll(/^\| `(\w+)\/` \| decision room: /gm)].map(([, room = '']) => room),
]

/** The folders that each folder of `src/` may import: the room table of docs/ARCHITECTURE.md is their only list. */
const rooms = new Map<string, { may: string[]; types: string[] }>(
  [...architecture.matchAll(/^\| `(\w+)\/` \|.*\| ([^|]+) \|$/gm)].map(([, room = '', column = '']) => {
    const listed = column === 'no other room' ? [] : column.split(', ')
    const names = listed.map((entry) => entry.replace(' (types)', ''))
    const types = names.filter((_, at) => listed[at]?.endsWith(' (types)'))
    return [room, { may: names, types }]
  }),
)
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src'], { cwd: root })
  .toString()
  .split('\n')
  .filter((file) => file.endsWith('.ts') && existsSync(join(root, file)))

const files = tracked.map((file) => parseSource(root, file))
const product = files.filter(({ file }) => !file.endsWith('.test.ts') && !file.includes('/testing/'))

const roomOf = (file: string): string => (file.split('/').length > 2 ? (file.split('/')[1] ?? '') : 'main')
const target = (imported: Imported): string => relative(root, resolve(root, dirname(imported.from), imported.to))

describe('the rooms', () => {
  it('are those in the table', () => {
    const found = new Set(files.map(({ file }) => roomOf(file)).filter((room) => room !== 'main'))
    expect([...rooms.keys()].toSorted()).toEqual([...found].toSorted())
  })

  it('import what the table allows, and all of it', () => {
    const [wrong, used]: [string[], Set<string>] = [[], new Set()]
    for (const { imports } of product) {
      for (const imported of imports.filter(({ to }) => to.startsWith('.'))) {
        const [from, to] = [roomOf(imported.from), roomOf(target(imported))]
        if (from === to || from === 'main') continue
        const { may = [], types = [] } = rooms.get(from) ?? {}
        if (!may.includes(to)) wrong.push(`${imported.from} imports ${target(imported)}`)
        if (types.includes(to) && !imported.typeOnly) {
          wrong.push(`${imported.from} may import only types of ${target(imported)}`)
        }
        used.add(`${from} ${to}`)
      }
    }
    const unused = [...rooms].flatMap(([room, { may }]) =>
      may.filter((other) => !used.has(`${room} ${other}`)).map((other) => `${room}/ never imports ${other}/`),
    )
    expect([...wrong, ...unused]).toEqual([])
  })

  it('lead from push to the stop of the old instance in eight files, each of which leads to the next', () => {
    const walk = [...architecture.matchAll(/^\d\. `(src\/[^`]+)`.*?(?:→(.*))?$/gm)].map(([, file = '', way = '']) => {
      return { file, way: [...way.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name) }
    })
    expect(walk).toHaveLength(8)
    const broken = walk.slice(1).flatMap(({ file: next }, index) => {
      const from = walk[index]
      return from && leads(from.file, from.way, next) ? [] : [`${from?.file} does not lead to ${next}`]
    })
    expect(broken).toEqual([])
  })

  /** `way`: files that import one another on the way, and at its end, where a message or a state carries it on, its name. */
  function leads(from: string, way: string[], next: string): boolean {
    const [step, ...rest] = way
    const imported = files.find(({ file }) => file === from)?.imports.map(target) ?? []
    if (step === undefined) return imported.includes(next)
    if (!step.endsWith('.ts'))
      return [from, next].every((file) => readFileSync(join(root, file), 'utf8').includes(step))
    const through = imported.find((file) => file.endsWith(`/${step}`))
    return through !== undefined && leads(through, rest, next)
  }

  it('have no import cycle between files', () => {
    const edges = new Map(
      product.map(({ file, imports }) => [
        file,
        imports.filter(({ to, typeOnly }) => to.startsWith('.') && !typeOnly).map(target),
      ]),
    )
    expect(importCycles(edges)).toEqual([])
  })

  it('resolve: every relative import names a file', () => {
    const missing = files
      .flatMap(({ imports }) => imports)
      .filter((imported) => imported.to.startsWith('.') && !existsSync(join(root, target(imported))))
    expect(missing).toEqual([])
  })
})

describe('decision rooms', () => {
  it('use no clock, randomness, process or outside access', () => {
    const wrong: string[] = []
    const inLoop = files.find(({ file }) => file === 'src/decider/rooms.ts')?.imports.map(target) ?? []
    expect(inLoop.filter((file) => file.endsWith('/room.ts') && !pureRooms.includes(roomOf(file)))).toEqual([])
    for (const { file, imports, program } of product.filter((parsed) => pureRooms.includes(roomOf(parsed.file)))) {
      for (const { to } of imports) {
        if (!to.startsWith('.')) wrong.push(`${file} imports ${to}`)
      }
      visit(program, (node) => {
        const used = node['callee'] ?? node['object']
        if (isNode(used) && used['type'] === 'Identifier' && impureGlobals.has(String(used['name']))) {
          wrong.push(`${file} uses ${String(used['name'])}`)
        }
        if (node['type'] === 'MemberExpression' || node['type'] === 'NewExpression') {
          const text = describeCall(node)
          if (['Math.random', 'Date.now', 'new Date()'].includes(text)) wrong.push(`${file} calls ${text}`)
        }
        if (node['async'] === true) wrong.push(`${file} has an async function`)
      })
    }
    expect(wrong).toEqual([])
  })
})

describe('agent and controller', () => {
  it('take time from the clock that they are given, so that tests can run them on virtual time', () => {
    const globals = new Set(['setTimeout', 'setInterval', 'setImmediate'])
    const readings = new Set(['Date.now', 'performance.now', 'process.hrtime', 'AbortSignal.timeout'])
    const wrong: string[] = []
    for (const { file, imports, program } of product.filter(({ file }) => /^src\/(agent|controller)\//.test(file))) {
      for (const { to } of imports)
        if (to === 'node:timers/promises' || to.endsWith('/longTimer.ts')) wrong.push(`${file} imports ${to}`)
      visit(program, (node) => {
        const callee = node['type'] === 'CallExpression' ? node['callee'] : null
        if (isNode(callee) && globals.has(String(callee['name']))) wrong.push(`${file} calls ${String(callee['name'])}`)
        const text = /^(MemberExpression|NewExpression)$/.test(String(node['type'])) ? describeCall(node) : ''
        if (readings.has(text) || text === 'new Date()') wrong.push(`${file} calls ${text}`)
        const isSystem = node['type'] === 'Identifier' && node['name'] === 'systemClock'
        if (isSystem && !composed.has(file)) wrong.push(`${file} picks the system's clock`)
      })
    }
    expect(wrong).toEqual([])
  })
})

describe('the modules', () => {
  it('have no barrel files and no junk-drawer names', () => {
    const names = product.map(({ file }) => file)
    expect(names.filter((file) => /(^|\/)(index|utils?|helpers?|manager|common)\.ts$/.test(file))).toEqual([])
  })

  it('have no function of more than a hundred lines', () => {
    const short = product.filter(({ file }) => !file.endsWith('Conformance.ts'))
    expect(short.flatMap((parsed) => longFunctions(parsed, mostLines))).toEqual([])
  })

  it('throw errors with a code where people or programs read them', () => {
    const plain: string[] = []
    for (const { file, source, program } of product.filter(({ file }) =>
      /^src\/(cli|api|controller\/http)\//.test(file),
    )) {
      visit(program, (node) => {
        const rejected = isRejection(node) ? (node['arguments'] as unknown[])[0] : null // always a list in a CallExpression
        const thrown = node['type'] === 'ThrowStatement' ? node['argument'] : rejected
        if (!isNode(thrown) || thrown['type'] !== 'NewExpression') return
        const callee = thrown['callee'] as Node // always a node in a NewExpression
        const { start } = node as { start?: number }
        if (plainErrors.has(String(callee['name']))) plain.push(`${file}:${source.slice(0, start).split('\n').length}`)
      })
    }
    expect(plain).toEqual([])
  })

  it('compare no name of a driver outside the drivers: they read the abilities that it declares', () => {
    // Both are also words of other things: `listen: none`, and a job of the kind `command`.
    const ambiguous = new Set(['none', 'command'])
    const kinds = Object.values(driverKinds).flatMap(({ drivers }) => Object.keys(drivers))
    const names = new Set(kinds.filter((name) => !ambiguous.has(name)))
    const compared: string[] = []
    for (const { file, source, program } of product.filter(({ file }) => !file.startsWith('src/drivers/'))) {
      visit(program, (node) => {
        const isCompared = node['type'] === 'BinaryExpression' || node['type'] === 'SwitchCase' || isSearch(node)
        const values = [node['left'], node['right'], node['test'], node['arguments']]
          .flat()
          .filter(isNode)
          .map((side) => String(side['value']))
        const { start } = node as { start?: number }
        if (isCompared && values.some((value) => names.has(value))) {
          compared.push(`${file}:${source.slice(0, start).split('\n').length}`)
        }
      })
    }
    expect(compared).toEqual([])
  })

  it('only compose at the root and in machine/: no decision about files, processes, sockets or errors is made there', () => {
    const wrong: string[] = []
    for (const { file, source, imports, program } of product.filter(({ file }) =>
      ['main', 'machine'].includes(roomOf(file)),
    )) {
      for (const { to } of imports)
        if (to.startsWith('node:') && to !== 'node:path') wrong.push(`${file} imports ${to}`)
      visit(program, (node) => {
        const { start } = node as { start?: number }
        const thrown = node['type'] === 'ThrowStatement' ? node['argument'] : null
        if (isNode(thrown) && thrown['type'] !== 'Identifier')
          wrong.push(`${file}:${source.slice(0, start).split('\n').length} throws`)
      })
    }
    expect(wrong).toEqual([])
  })

  it('name a unit or a fixed folder of Tandem only in layout/', () => {
    const fixed =
      /^(?:tandem-[a-z-]+\.(?:service|socket)|\/(?:etc\/(?:tandem|systemd\/system)|run\/tandem|var\/lib\/(?:private\/)?tandem|usr\/lib\/tandem).*)$/
    const wrong: string[] = []
    for (const { file, source, program } of product.filter(({ file }) => !/^src\/layout\/|Lab\.ts$/.test(file))) {
      visit(program, (node) => {
        const text = node['type'] === 'Literal' ? String(node['value']) : ''
        const { start } = node as { start?: number }
        if (fixed.test(text) && !text.includes(' ')) wrong.push(`${file}:${source.slice(0, start).split('\n').length}`)
      })
    }
    expect(wrong).toEqual([])
  })

  it('give each word of the glossary to one type', () => {
    const glossary = readFileSync(join(root, 'docs/glossary.md'), 'utf8')
    const words = [...glossary.matchAll(/^\| ([a-z][^|]*) \|/gim)].flatMap(([, entry = '']) =>
      entry.split(/, | \/ | \(/),
    )
    const nouns = new Set([...words.map(typeName), 'Room', 'Programs', 'Order'])
    expect(nouns).toContain('Turn')
    const declared = new Map<string, string[]>()
    for (const { file, program } of product) {
      visit(program, (node) => {
        const { declaration } = node
        if (node['type'] !== 'ExportNamedDeclaration' || !isNode(declaration) || !isNode(declaration['id'])) return
        const name = String(declaration['id']['name'])
        if (nouns.has(name)) declared.set(name, [...(declared.get(name) ?? []), file])
      })
    }
    expect([...declared].filter(([, places]) => places.length > 1)).toEqual([])
  })

  it('never use the type any', () => {
    const wrong: string[] = []
    for (const { file, program } of product) {
      visit(program, (node) => {
        if (node['type'] === 'TSAnyKeyword') wrong.push(`${file} uses any`)
      })
    }
    expect(wrong).toEqual([])
  })
})

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

const called = (node: Node): string => {
  const callee = node['type'] === 'CallExpression' ? node['callee'] : null
  const name = isNode(callee) && isNode(callee['property']) ? callee['property'] : callee
  return isNode(name) ? String(name['name']) : ''
}
const isSearch = (node: Node): boolean => ['includes', 'indexOf', 'startsWith', 'endsWith'].includes(called(node))
const isRejection = (node: Node): boolean => called(node) === 'reject'

/** `virtual address` is `VirtualAddress`. */
const typeName = (words: string): string =>
  words
    .split(/\W+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')

function describeCall(node: Node): string {
  if (node['type'] === 'NewExpression') {
    const callee = node['callee'] as Node // always a node in a NewExpression
    return callee['name'] === 'Date' && (node['arguments'] as unknown[]).length === 0 ? 'new Date()' : ''
  }
  const object = node['object'] as Node // always a node in a MemberExpression
  const property = node['property'] as Node // likewise
  return `${String(object['name'])}.${String(property['name'])}`
}
