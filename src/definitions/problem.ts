import { OperatorError } from '../lib/operatorError.ts'

/** One error (or, as a warning, one doubtful setting) in a file that people write. Line and column count from 1. */
export interface Problem {
  file: string
  line: number
  column: number
  message: string
  /** The offending line as written; cut around the column when it is very long. */
  lineText: string
  /** Position of the caret in `lineText`, from 0. */
  caret: number
  /** The probable intention, ready to paste; `null` when nothing is near. */
  suggestion: string | null
}

/** Problems beyond this number are counted, not listed: no person reads them, and a hostile file has a million. */
export const mostProblems = 50

const fixIt = 'fix the file and run this again; tandem validate checks the file alone'

/** An invalid definition or cluster file: all problems of the file at once, sorted by position. */
export class DefinitionError extends OperatorError {
  readonly file: string
  readonly problems: readonly Problem[]
  /** Problems found beyond `mostProblems`. */
  readonly omitted: number

  constructor(file: string, found: readonly Problem[], cause: unknown = null, next: string = fixIt) {
    const problems = sortProblems(found)
    super('E_DEFINITION', headline(file, problems), {
      subject: file,
      next,
      ...(cause === null ? {} : { cause }),
    })
    this.name = 'DefinitionError'
    this.file = file
    this.problems = problems.slice(0, mostProblems)
    this.omitted = Math.max(0, problems.length - mostProblems)
  }

  /** The problems as people read them, without a trailing newline. */
  render(): string {
    const text = renderProblems(this.problems)
    return this.omitted === 0 ? text : `${text}\n\n… and ${this.omitted} more problems`
  }
}

/**
 * Renders `file:line:col: message`, the offending line, a caret, and the probable intention; an empty line separates
 * problems.
 */
export function renderProblems(problems: readonly Problem[]): string {
  return problems.map((problem) => renderProblem(problem, '')).join('\n\n')
}

/** The same for warnings, marked as such: the command goes on after them. */
export function renderWarnings(warnings: readonly Problem[]): string {
  return warnings.map((warning) => renderProblem(warning, 'warning: ')).join('\n\n')
}

function renderProblem(problem: Problem, mark: string): string {
  const lines = [`${problem.file}:${problem.line}:${problem.column}: ${mark}${printable(problem.message)}`]
  if (problem.lineText !== '') {
    const gutter = `${problem.line} | `
    lines.push(`  ${gutter}${printable(problem.lineText)}`, `  ${' '.repeat(gutter.length + problem.caret)}^`)
  }
  if (problem.suggestion !== null) lines.push(`  did you mean: ${printable(problem.suggestion)}`)
  return lines.join('\n')
}

/** Sorts by position; the same message at the same place is kept once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>()
  return [...problems]
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .filter(({ line, column, message }) => {
      const key = `${line}:${column}:${message}`
      return !seen.has(key) && seen.add(key)
    })
}

function headline(file: string, problems: readonly Problem[]): string {
  const [first] = problems
  if (first === undefined) return `${file} has errors`
  const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`
  return printable(`${file}:${first.line}:${first.column}: ${first.message}${more}`)
}

/** A hostile file must not control the terminal that shows it: each control character becomes a dot of one column. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '·')
}
