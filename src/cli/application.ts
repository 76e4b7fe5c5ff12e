import { buildApplication, text_en, type Application } from '@stricli/core'
import type { OperatorError } from '../lib/operatorError.ts'
import type { CliContext } from './command.ts'
import type { CommandTable } from './help/commandTree.ts'
import { unknownCommand, usageError } from './usage.ts'

/** The command line `args` as stricli runs it. `onMisuse` receives the usage error; no command has run then. */
export function buildApplicationFor(
  commands: CommandTable,
  version: string,
  args: readonly string[],
  onMisuse: (error: OperatorError) => void,
): Application<CliContext> {
  const misuse = (error: OperatorError): string => {
    onMisuse(error)
    return error.message
  }
  return buildApplication(commands.root, {
    name: 'tandem',
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { disableAnsiColor: true, useAliasInUsageLine: true },
    localization: {
      text: {
        ...text_en,
        briefs: { ...text_en.briefs, argumentEscapeSequence: 'Treat everything after -- as an argument, not a flag' },
        noCommandRegisteredForInput: ({ input }) => misuse(unknownCommand(commands, input)),
        exceptionWhileParsingArguments: (error) => misuse(usageError(commands, args, error)),
        exceptionWhileLoadingCommandFunction: (error) => {
          throw error
        },
      },
    },
  })
}
