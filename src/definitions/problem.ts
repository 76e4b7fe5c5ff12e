import { OperatorError } from '../lib/operatorError.ts'

/** One thing wrong (or, as a warning, doubtful) in a file that people write. Line and column count from 1. */
export interface Problem {
  file: string
  line: number
  column: number
  message: string
  /** The offending line as it is written; cut around the column when it is very long. */
  lineText: string
  /** Where in `lineText` the caret goes, from 0. */
  caret: number
  /** What was probably meant, to be pasted as it is; `null` when nothing is near. */
  suggestion: string | null
}

/** More than this many problems are counted, not listed: nobody reads them, and a hostile file has a million. */
export const mostProblems = 50

const mendIt = 'mend the file and run this again; tandem validate checks it alone'

/** A definition or cluster file that cannot be used: every problem of the file at once, sorted by position. */
export class DefinitionError extends OperatorError {
  readonly file: string
  readonly problems: readonly Problem[]
  /** Problems found beyond `mostProblems`. */
  readonly omitted: number

  constructor(file: string, found: readonly Problem[], cause: unknown = null, next: string = mendIt) {
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

  /** The problems as people read them; ends without a newline. */
  render(): string {
    const text = renderProblems(this.problems)
    return this.omitted === 0 ? text : `${text}\n\n… and ${this.omitted} more problems`
  }
}

/** `file:line:col: message`, the offending line, a caret, and what was probably meant; problems apart by an empty line. */
export function renderProblems(problems: readonly Problem[]): string {
  return problems.map(renderProblem).join('\n\n')
}

function renderProblem(problem: Problem): string {
  const lines = [`${problem.file}:${problem.line}:${problem.column}: ${printable(problem.message)}`]
  if (problem.lineText !== '') {
    const gutter = `${problem.line} | `
    lines.push(`  ${gutter}${printable(problem.lineText)}`, `  ${' '.repeat(gutter.length + problem.caret)}^`)
  }
  if (problem.suggestion !== null) lines.push(`  did you mean: ${printable(problem.suggestion)}`)
  return lines.join('\n')
}

/** Sorted by position; the same message at the same place stays once. */
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

/** A hostile file must not steer the terminal that shows it: control characters become a dot, one column each. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '·')
}
