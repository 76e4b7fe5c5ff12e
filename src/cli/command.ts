import {
  buildCommand,
  type BaseArgs,
  type BaseFlags,
  type Command,
  type CommandContext,
  type TypedCommandParameters,
} from '@stricli/core'
import type { Known } from './help/knownNames.ts'
import { known, text } from './routes/parameters.ts'
import type { CommonFlags, Session } from './session.ts'

/** What stricli hands to commands: how to begin and how to end. */
export interface CliContext extends CommandContext {
  open: (flags: CommonFlags) => Session
  finish: (outcome: { code: number } | { error: unknown }) => void
  /** Names that a word may be completed to. */
  known: (kind: Known) => Promise<string[]>
}

/** A command's work; resolves with the exit code. */
export type Handler<F extends CommonFlags & BaseFlags, A extends BaseArgs> = (
  session: Session,
  flags: F,
  ...args: A
) => Promise<number>

interface CommandSpec<F extends CommonFlags & BaseFlags, A extends BaseArgs> {
  /** One line. */
  brief: string
  /** More about it, where a line is not enough. */
  about?: string
  /** A command line that works as it is, or lines. */
  example: string
  parameters: Omit<TypedCommandParameters<F, A, CliContext>, 'flags'> & {
    flags?: Omit<TypedCommandParameters<F, A, CliContext>['flags'], keyof CommonFlags>
  }
  /** Loads the module with the work: nothing else of it is read before. */
  load: () => Promise<Handler<F, A>>
}

const commonFlags = {
  json: { kind: 'boolean', brief: 'Print JSON, and nothing else, on stdout', default: false, withNegated: false },
  context: known('contexts', text('NAME', 'The cluster to talk to (tandem context list)')),
} as const

/** A command as data. Every one takes --json and --context, and shows an example with --help. */
export function command<F extends CommonFlags & BaseFlags, A extends BaseArgs>(
  spec: CommandSpec<F, A>,
): Command<CliContext> {
  const { brief, about, example, parameters, load } = spec
  const lines = example.split('\n').map((line) => `  ${line}`)
  return buildCommand<F, A, CliContext>({
    docs: { brief, fullDescription: `${[brief, about].filter(Boolean).join('\n\n')}\n\nEXAMPLE\n${lines.join('\n')}` },
    // The common flags are added here for every F, which an open type parameter cannot show to the compiler.
    parameters: { ...parameters, flags: { ...parameters.flags, ...commonFlags } } as unknown as TypedCommandParameters<
      F,
      A,
      CliContext
    >,
    loader: async () => {
      const work = await load()
      return async function (this: CliContext, flags: F, ...args: A): Promise<void> {
        try {
          this.finish({ code: await work(this.open(flags), flags, ...args) })
        } catch (error) {
          this.finish({ error })
        }
      }
    },
  })
}
