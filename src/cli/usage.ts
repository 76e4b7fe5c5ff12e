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
import { entriesOf, findRoute, leavesOf, type CommandTable } from './help/commandTree.ts'

/**
 * Converts a parse error of the command line `args` to an error that describes the fault and suggests the flag that was
 * probably meant.
 */
export function usageError({ root }: CommandTable, args: readonly string[], error: unknown): OperatorError {
  if (error instanceof OperatorError) return error
  if (error instanceof ArgumentParseError && error.exception instanceof OperatorError) return error.exception
  const help = ['tandem', ...findRoute(root, args).found, '--help'].join(' ')
  const [message, next, subject] = explain(error, args, `${help}   shows the flags and arguments of this command`)
  return new OperatorError('E_USAGE', message, { next, ...(subject === null ? {} : { subject }), cause: error })
}

function explain(
  error: unknown,
  args: readonly string[],
  seeHelp: string,
): [message: string, next: string, subject: string | null] {
  if (error instanceof FlagNotFoundError) {
    const meant = nearest(error.input, error.corrections) ?? error.corrections[0]
    return [`there is no flag --${error.input}`, meant ? `did you mean --${meant}?` : seeHelp, `--${error.input}`]
  }
  if (error instanceof AliasNotFoundError) return [`there is no flag -${error.input}`, seeHelp, `-${error.input}`]
  if (error instanceof UnsatisfiedFlagError) {
    const flag = `--${error.externalFlagName}`
    return [args.includes(flag) ? `${flag} needs a value` : `${flag} is required`, seeHelp, flag]
  }
  if (error instanceof UnsatisfiedPositionalError) {
    const isPartial = (error.limit?.[1] ?? 0) > 0
    return [`${error.placeholder} is ${isPartial ? 'incomplete' : 'missing'}`, seeHelp, null]
  }
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

/** `input`: the word, or words, that name no command. */
export function unknownCommand({ root }: CommandTable, input: string): OperatorError {
  const named = [...leavesOf(root).map(({ words }) => words), ...entriesOf(root).map(({ name }) => [name])]
  // `tandem drain` means `tandem machine drain`.
  const last = nearest(input.split(' ').at(-1) ?? '', new Set(named.map((words) => words.at(-1) ?? '')))
  const same = named.filter((words) => words.at(-1) === last)
  // `tandem statsu` means `tandem status`, not `tandem secrets status`.
  const least = input.includes(' ') ? 0 : Math.min(...same.map((words) => words.length))
  const meant = new Set(
    same.filter((words) => least !== 1 || words.length === 1).map((words) => `tandem ${words.join(' ')}`),
  )
  const what = input.startsWith('-') ? `tandem has no flag ${input}` : `there is no command ${input}`
  return new OperatorError('E_USAGE', what, {
    subject: input,
    next: meant.size > 0 ? `did you mean: ${[...meant].join(', or ')}` : 'tandem --help   lists the commands',
  })
}
