import {
  buildCommand,
  type BaseArgs,
  type BaseFlags,
  type Command,
  type CommandContext,
  type TypedCommandParameters,
} from '@stricli/core'
import type { Known } from './help/knownNames.ts'
import { known, on, text } from './routes/parameters.ts'
import type { CommonFlags, Session } from './session.ts'

/** The context stricli passes to each command: how to open a session and how to report the outcome. */
export interface CliContext extends CommandContext {
  open: (flags: CommonFlags) => Session
  /** The command changes something, so it goes on to its end without a reader. */
  goOn: () => void
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
  /** Summary in one line. */
  brief: string
  /** Further description, where one line is not enough. */
  about?: string
  /** One or more command lines that can be pasted unchanged. */
  example: string
  /** It takes --dry-run: it changes the cluster by calls of the API that take `?dryRun=true`. */
  dryRun?: true
  /** It changes something, though it takes no --dry-run. */
  changes?: true
  parameters: Omit<TypedCommandParameters<F, A, CliContext>, 'flags'> & {
    flags?: Omit<TypedCommandParameters<F, A, CliContext>['flags'], keyof CommonFlags>
  }
  /** Loads the module that does the work. No earlier step reads the module, so that short commands start fast. */
  load: () => Promise<Handler<F, A>>
}

const dryRunFlag = on('Show what would happen, or why it is refused; change nothing')

const commonFlags = {
  json: { kind: 'boolean', brief: 'Print only JSON on standard output', default: false, withNegated: false },
  context: known('contexts', text('NAME', 'Context of the cluster to use (tandem context list)')),
} as const

/** Builds a command from its description. Every command takes --json and --context, and --help shows an example. */
export function command<F extends CommonFlags & BaseFlags, A extends BaseArgs>(
  spec: CommandSpec<F, A>,
): Command<CliContext> {
  const { brief, about, example, dryRun, changes = dryRun, parameters, load } = spec
  const common = { ...(dryRun ? { dryRun: dryRunFlag } : {}), ...commonFlags }
  const lines = example.split('\n').map((line) => `  ${line}`)
  return buildCommand<F, A, CliContext>({
    docs: { brief, fullDescription: `${[brief, about].filter(Boolean).join('\n\n')}\n\nEXAMPLE\n${lines.join('\n')}` },
    // This adds the common flags for every F; the compiler cannot derive that for an open type parameter.
    parameters: { ...parameters, flags: { ...parameters.flags, ...common } } as unknown as TypedCommandParameters<
      F,
      A,
      CliContext
    >,
    loader: async () => {
      const work = await load()
      return async function (this: CliContext, flags: F, ...args: A): Promise<void> {
        const session = this.open(flags)
        if (changes && flags.dryRun !== true) this.goOn()
        try {
          this.finish({ code: await work(session, flags, ...args) })
        } catch (error) {
          this.finish(flags.dryRun === true ? await afterDryRun(session, error) : { error })
        }
      }
    },
  })
}

/** A dry run ends with its answer where the command would have gone on. */
async function afterDryRun({ out }: Session, error: unknown): Promise<{ code: number } | { error: unknown }> {
  const { DryRunDone } = await import('../api/client.ts')
  if (!(error instanceof DryRunDone)) return { error }
  const { renderDryRun } = await import('./render/dryRun.ts')
  out.result(error.answer, () => renderDryRun(error.answer, out.paint))
  return { code: 0 }
}
