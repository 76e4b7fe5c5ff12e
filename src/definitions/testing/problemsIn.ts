import { parseDefinition } from '../parseDefinition.ts'
import { DefinitionError } from '../problem.ts'

/** The problems of a definition, each with its suggestion in brackets; empty if it has none. */
export function problemsIn(text: string): string[] {
  try {
    parseDefinition(text, 'tandem.yaml')
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error
    return error.problems.map(({ message, suggestion }) =>
      suggestion === null ? message : `${message} [${suggestion}]`,
    )
  }
  return []
}
