import {
  AliasNotFoundError,
  ArgumentParseError,
  EnumValidationError,
  FlagNotFoundError,
  InvalidNegatedFlagSyntaxError,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from '@stricli/core'
import { nearest } from '../definitions/suggest.ts'
import { OperatorError } from '../lib/operatorError.ts'

const seeHelp = 'add --help to see the flags and arguments of this command'

/** Converts a parse error to an error that describes the fault and suggests the flag that was probably meant. */
export function usageError(error: unknown): OperatorError {
  if (error instanceof OperatorError) return error
  if (error instanceof ArgumentParseError && error.exception instanceof OperatorError) return error.exception
  const [message, next, subject] = explain(error)
  return new OperatorError('E_USAGE', message, { next, ...(subject === null ? {} : { subject }), cause: error })
}

function explain(error: unknown): [message: string, next: string, subject: string | null] {
  if (error instanceof FlagNotFoundError) {
    const meant = nearest(error.input, error.corrections) ?? error.corrections[0]
    return [`there is no flag --${error.input}`, meant ? `did you mean --${meant}?` : seeHelp, `--${error.input}`]
  }
  if (error instanceof AliasNotFoundError) return [`there is no flag -${error.input}`, seeHelp, `-${error.input}`]
  if (error instanceof UnsatisfiedFlagError) {
    return [`--${error.externalFlagName} needs a value`, seeHelp, `--${error.externalFlagName}`]
  }
  if (error instanceof UnsatisfiedPositionalError) return [`${error.placeholder} is missing`, seeHelp, null]
  if (error instanceof UnexpectedPositionalError) {
    const many = error.expectedCount === 0 ? 'no argument' : `at most ${error.expectedCount}`
    return [`"${error.input}" is one argument too many: this command takes ${many}`, seeHelp, error.input]
  }
  if (error instanceof UnexpectedFlagError) {
    return [`--${error.externalFlagName} was given twice`, 'give the flag once', `--${error.externalFlagName}`]
  }
  if (error instanceof InvalidNegatedFlagSyntaxError) {
    return [`--${error.externalFlagName} takes no value`, seeHelp, `--${error.externalFlagName}`]
  }
  if (error instanceof EnumValidationError) {
    const values = error.values.join(', ')
    return [`--${error.externalFlagName} cannot be "${error.input}"`, `use one of: ${values}`, error.input]
  }
  if (error instanceof ArgumentParseError) {
    const why = error.exception instanceof Error ? error.exception.message : String(error.exception)
    return [`${error.externalFlagNameOrPlaceholder} cannot be "${error.input}": ${why}`, seeHelp, error.input]
  }
  return [error instanceof Error ? error.message : String(error), seeHelp, null]
}

export function unknownCommand(input: string, names: Iterable<string>): OperatorError {
  const meant = nearest(input, names)
  const what = input.startsWith('-') ? `tandem has no flag ${input}` : `there is no command ${input}`
  return new OperatorError('E_USAGE', what, {
    subject: input,
    next: meant ? `did you mean: tandem ${meant}` : 'tandem --help   lists the commands',
  })
}
