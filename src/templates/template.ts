import { LiquidError, type Liquid, type Template as Parsed, type Variable } from 'liquidjs'
import { nearest } from '../definitions/suggest.ts'
import { openEngine, renderOptions } from './engine.ts'
import { TemplateError, type TemplateProblem } from './templateProblem.ts'

/** The names that templates may use, by the word before the dot. */
export type KnownNames = Readonly<Record<string, readonly string[]>>

/** A parsed template. */
export class Template {
  readonly #file: string
  readonly #engine: Liquid
  readonly #parsed: Parsed[]

  /** Throws a `TemplateError` for a text that is no template. `file` is only named in messages. */
  constructor(file: string, text: string) {
    this.#file = file
    this.#engine = openEngine()
    this.#parsed = this.#guarded(() => this.#engine.parse(text, file))
  }

  /** Throws a `TemplateError` at the first name that is undefined, and at a limit. */
  render(variables: Readonly<Record<string, unknown>>): string {
    return this.#guarded(() => String(this.#engine.renderSync(this.#parsed, { ...variables }, renderOptions)))
  }

  /** Every use of a name that no value can have, as far as it is written out. */
  unknownNames(known: KnownNames): TemplateProblem[] {
    const { globals } = this.#guarded(() => this.#engine.analyzeSync(this.#parsed, { partials: false }))
    const problems = Object.values(globals).flatMap((uses) => uses.flatMap((use) => this.#unknown(use, known)))
    return problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
  }

  #unknown({ segments: [root, name], location }: Variable, known: KnownNames): TemplateProblem[] {
    const at = { file: this.#file, line: location.row, column: location.col }
    if (typeof root !== 'string') return []
    const names = Object.hasOwn(known, root) ? known[root] : undefined
    if (names === undefined) return [{ ...at, message: undefinedName(root, '', Object.keys(known)) }]
    if (typeof name !== 'string' || names.includes(name)) return []
    return [{ ...at, message: undefinedName(name, `${root}.`, names) }]
  }

  #guarded<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      throw new TemplateError(problemOf(error, this.#file))
    }
  }
}

function undefinedName(name: string, before: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return `undefined variable: ${before}${name}${near === null ? '' : ` (did you mean ${before}${near}?)`}`
}

function problemOf(error: Error, file: string): TemplateProblem {
  const [line = 1, column = 1] = LiquidError.is(error) ? error.token.getPosition() : []
  // The library ends its message with the place.
  const message = error.message.replace(/(?:, file:[^\n]*)?, line:\d+, col:\d+$/, '')
  return { file, line, column, message: inOurWords[message] ?? message }
}

/** Messages of the library that name its options. */
const inOurWords: Readonly<Record<string, string>> = {
  'memory alloc limit exceeded': 'the template grows too large',
  'template render limit exceeded': 'the template takes too long',
  'parse length limit exceeded': 'the template is too large',
}
