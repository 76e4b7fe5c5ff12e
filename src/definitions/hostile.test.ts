import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomRun } from '../lib/testing/randomRun.ts'
import { definitionSchema } from './definitionSchema.ts'
import { expand } from './expand.ts'
import { forCluster } from './overlay.ts'
import { parseCluster } from './parseCluster.ts'
import { parseDefinition } from './parseDefinition.ts'
import { DefinitionError, mostProblems } from './problem.ts'
import { largestFileBytes } from './yamlDocument.ts'

const example = readFileSync(new URL('../../docs/tandem.example.yaml', import.meta.url), 'utf8')
/**
 * Processor time, so that the load of the machine does not count: this test is meant to find minutes, not milliseconds.
 */
const longestUs = 15_000_000

function errorOf(
  text: string,
  parse: (text: string, file: string) => unknown = parseDefinition,
): DefinitionError | null {
  const start = process.cpuUsage()
  try {
    parse(text, 'f.yaml')
    return null
  } catch (error) {
    if (error instanceof DefinitionError) return error
    throw error
  } finally {
    expect(process.cpuUsage(start).user).toBeLessThan(longestUs)
  }
}

const first = (text: string): string | undefined => errorOf(text)?.problems[0]?.message
/** Repetition is quadratic in the YAML parser: a quarter of the size in `make test`. */
const { count: repeatedBytes } = randomRun('repeated_bytes', { check: largestFileBytes, soak: largestFileBytes })
const fill = (unit: string): string => unit.repeat(Math.floor(repeatedBytes / unit.length))

describe('hostile input', () => {
  it('of 10 MB is refused without being read', () => {
    const start = process.cpuUsage()
    expect(first('[{'.repeat(5 * 1024 * 1024))).toBe(
      'the file has 10485760 bytes; at most 262144 (256 KiB) are allowed',
    )
    expect(process.cpuUsage(start).user).toBeLessThan(longestUs)
  })

  it('nested deeply', () => {
    expect(first(fill('['))).toBe('nested too deeply to be read')
    expect(first(fill('- '))).toBe('nested too deeply to be read')
    expect(first('[{a: '.repeat(20))).toContain('not valid YAML')
    expect(first(`service: a\nrun: ${'['.repeat(300)}${']'.repeat(300)}`)).toContain('found a list')
  })

  it.each(['{a: ', '[]', '[],', '%A\n', '\t', '&a ', 'a: |\n', '\n', '#', ': '])('of %j over and over', (unit) => {
    expect(errorOf(fill(unit))).not.toBeNull()
  })

  it('with alias bombs', () => {
    const levels = Array.from({ length: 30 }, (_, level) => `l${level}: &l${level} [*l${level - 1}, *l${level - 1}]`)
    expect(first(`service: a\nrun: ["./a"]\nl: &l-1 [x, x]\n${levels.join('\n')}\n`)).toContain('unknown key')
    const routes = Array.from({ length: 150 }, (_, index) => `{ path: /${index} }`).join(', ')
    const many = Array.from({ length: 150 }, (_, index) => `e${index}: { routes: *r }`).join(', ')
    const bomb = `service: a\nrun: ./a\nroutes: &r [${routes}]\nenvironments: { ${many} }`
    expect(errorOf(bomb)?.problems.map(({ message }) => message)).toEqual([
      'the file holds more than 10000 values once its aliases are followed',
    ])
    expect(first('service: a\nrun: &r [*r]')).toContain('expected a word of the command, found')
    expect(first('service: a\nrun: *nowhere')).toBe('no anchor of this name stands before it')
  })

  it('with many keys, problems and items', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')
    const error = errorOf(keys)
    expect(error?.problems).toHaveLength(mostProblems)
    expect(error?.omitted).toBe(20_002 - mostProblems)
    expect(error?.render().split('\n').at(-1)).toBe(`… and ${20_002 - mostProblems} more problems`)
    expect(first(`service: a\nrun: [${'a,'.repeat(20_000)}]`)).toContain('at most 1000')
    expect(first(`service: a\nrun: ${'a '.repeat(20_000)}`)).toContain('at most 1000')
    const env = Array.from({ length: 600 }, (_, index) => `A${index}: x`).join(', ')
    expect(first(`service: a\nrun: a\nenv: { ${env} }`)).toBe('has 600 entries; at most 500 are allowed')
  })

  it('with values that grow', () => {
    const env = Array.from(
      { length: 60 },
      (_, index) => `L${index}: "${index === 0 ? 'xx' : `\${L${index - 1}}`.repeat(2)}"`,
    )
    expect(first(`service: a\nrun: a\nenv: { ${env.join(', ')} }`)).toContain('grows beyond')
  })

  it.each([
    ['', 'the file is empty'],
    [' \n\n', 'the file is empty'],
    ['# only a comment\n', 'the file is empty'],
    ['---\n', 'expected the definition, found nothing'],
    ['null', 'expected the definition, found nothing'],
    ['just text', 'expected the definition, found the text "just text"'],
    ['- a\n- b', 'expected the definition, found a list'],
    ['service: a\nrun: b\n---\nservice: c\nrun: d\n', 'a second YAML document'],
    ['service: a\u0000b', 'NUL byte'],
    ['service: a\nrun: b\nhealth:\n\tpath: /', 'a tab is used to indent'],
    ['%YAML 1.1\n---\nservice: a\nrun: b', 'a line may not start with %'],
    ['service: !!binary aGk=\nrun: b', 'YAML tags are not needed here'],
    ['service: !evil a\nrun: b', 'YAML tags are not needed here'],
    ['? [a]\n: b', 'must be'],
    ['service: "a', 'not valid YAML'],
    ['service: a: b', 'a second key in one value'],
    ['service: a\nrun: ./a\n  prepare: ./b', 'indent the keys of a level equally'],
    ['service: a\nrun: [a, ${PORT}]', 'not valid YAML'],
  ])('%j', (text, message) => {
    expect(
      errorOf(text)
        ?.problems.map((problem) => problem.message)
        .join('\n'),
    ).toContain(message)
  })

  it('suggests to quote a name in a list', () => {
    expect(errorOf('service: a\nrun: [a, ${PORT}]')?.problems[0]?.suggestion).toBe('"${PORT}"')
  })

  it('shows only a part of a very long line', () => {
    const [problem] = errorOf(`service: a\nrun: b\nenv: { A: "${'x'.repeat(5000)}\${NO}" }`)?.problems ?? []
    expect(problem?.column).toBe(5012)
    expect(problem?.lineText).toBe(`${'x'.repeat(80)}\${NO}" }`)
    expect(problem?.caret).toBe(80)
  })

  it('keeps names that a prototype could hide', () => {
    const { definition } = parseDefinition('service: a\nrun: b\nenv: { constructor: x, toString: y }', 'f')
    expect(Object.entries(definition.env)).toEqual([
      ['constructor', 'x'],
      ['toString', 'y'],
    ])
    expect(first('service: a\nrun: "${valueOf}"')).toContain('is not set')
  })
})

describe('any text', () => {
  const { seed, count } = randomRun('texts', { check: 500, soak: 50_000 })
  const check = (text: string): void => {
    for (const parse of [parseDefinition, parseCluster]) {
      const error = errorOf(text, parse)
      if (error === null) continue
      expect(error.problems.length).toBeGreaterThan(0)
      for (const { line, column, caret, lineText } of error.problems) {
        expect(line).toBeGreaterThan(0)
        expect(column).toBeGreaterThan(0)
        expect(caret).toBeLessThanOrEqual(lineText.length)
      }
    }
  }

  it('that ends within a line of Windows points into the visible part of the line', () => {
    expect(() => check('{\r')).not.toThrow()
  })

  it(`results in a definition or a DefinitionError (seed ${seed})`, () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        ...'{ } [ ] : , - ? & * ! | > % @ ` " \' # \n \t'.split(' '),
        '\n  ',
        ' ',
        '<<',
        '__proto__',
        '${',
        '$$',
      ),
      fc.constantFrom('service', 'run', 'env', 'routes', 'environments', 'machines', 'health', 'listen', 'a', '1e999'),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('')
        expect(() => check(text)).not.toThrow()
      }),
      { seed, numRuns: count },
    )
  }, 3_600_000)

  it(`so does any mutation of the example; an accepted text is as strict as the stored form (seed ${seed})`, () => {
    const tokens = example.split(/(\s+|[[\]{},:#"])/)
    const mutation = fc.record({
      at: fc.nat(tokens.length - 1),
      drop: fc.nat(3),
      insert: fc.oneof(
        fc.constantFrom(
          '',
          '0',
          '-1',
          '[]',
          '{}',
          'null',
          '"',
          '${A}',
          '${LOG_LEVEL}',
          '../x',
          'none',
          'tcp',
          '*a',
          '&a',
          '\n',
          '99999999999h',
          '.nan',
        ),
        fc.string({ unit: 'binary', maxLength: 5 }),
        fc.nat(tokens.length - 1).map((index) => tokens[index] ?? ''),
      ),
    })
    let accepted = 0
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const mutated = [...tokens]
        for (const { at, drop, insert } of mutations) mutated.splice(at, drop, insert)
        const text = mutated.join('')
        check(text)
        if (errorOf(text) !== null) return
        const { definition } = parseDefinition(text, 'f')
        expect(definitionSchema.parse(JSON.parse(JSON.stringify(definition)))).toEqual(definition)
        for (const cluster of Object.keys(definition.environments)) expand(forCluster(definition, cluster), {})
        accepted++
      }),
      { seed, numRuns: count },
    )
    expect(accepted).toBeGreaterThan(10)
  }, 3_600_000)
})
