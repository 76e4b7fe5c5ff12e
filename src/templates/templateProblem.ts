/** A problem at a place in a template. */
export interface TemplateProblem {
  /** Path in the release. */
  file: string
  line: number
  column: number
  message: string
}

/** `app.conf.liquid:2:7: undefined variable: config.WORKER`. */
export const problemInWords = ({ file, line, column, message }: TemplateProblem): string =>
  `${file}:${line}:${column}: ${message}`

/** Thrown for a template that cannot be read or filled in. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly problem: TemplateProblem

  constructor(problem: TemplateProblem) {
    super(problemInWords(problem))
    this.problem = problem
  }
}
