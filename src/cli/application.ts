import { buildApplication, text_en, type Application } from '@stricli/core'
import type { OperatorError } from '../lib/operatorError.ts'
import type { CliContext } from './command.ts'
import { routes } from './routes.ts'
import { unknownCommand, usageError } from './usage.ts'

/** The command line as stricli runs it. `onMisuse` receives the usage error; no command has run then. */
export function buildApplicationFor(
  version: string,
  onMisuse: (error: OperatorError) => void,
): Application<CliContext> {
  const misuse = (error: OperatorError): string => {
    onMisuse(error)
    return error.message
  }
  return buildApplication(routes, {
    name: 'tandem',
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { disableAnsiColor: true, useAliasInUsageLine: true },
    localization: {
      text: {
        ...text_en,
        briefs: { ...text_en.briefs, argumentEscapeSequence: 'Treat everything after -- as an argument, not a flag' },
        noCommandRegisteredForInput: ({ input, corrections }) => {
          const names = routes.getAllEntries().map(({ name }) => name['convert-camel-to-kebab'])
          return misuse(unknownCommand(input, [...corrections.map((name) => name.replaceAll('`', '')), ...names]))
        },
        exceptionWhileParsingArguments: (error) => misuse(usageError(error)),
        exceptionWhileLoadingCommandFunction: (error) => {
          throw error
        },
      },
    },
  })
}
