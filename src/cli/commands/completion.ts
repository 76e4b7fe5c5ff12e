import { proposeCompletions } from '@stricli/core'
import { buildApplicationFor } from '../application.ts'
import type { Handler } from '../command.ts'
import { completionScripts, type Shell } from '../help/completionScripts.ts'
import { knownNames } from '../help/knownNames.ts'
import { Session, type CommonFlags } from '../session.ts'
import { OperatorError } from '../../lib/operatorError.ts'

export const completionScript =
  (shell: Shell): Handler<CommonFlags, string[]> =>
  async ({ out }) => {
    out.result({ script: completionScripts[shell] }, () => completionScripts[shell].trimEnd())
    return 0
  }

/** Prints one candidate a line for the last of `words`: the word, a tab, and its explanation where it has one. */
export async function completeWords(session: Session, flags: CommonFlags, ...words: string[]): Promise<number> {
  const { host, out, interrupts, commands } = session
  const context = contextIn(words)
  const asking = new Session(host, { ...flags, ...(context === undefined ? {} : { context }) }, interrupts, commands)
  const silent = { write: () => {} }
  const unused = (): never => {
    throw new OperatorError('E_BUG', 'completion runs no command')
  }
  const found = await proposeCompletions(
    buildApplicationFor(commands, host.version, words, () => {}),
    words,
    {
      ...{ process: { stdout: silent, stderr: silent }, open: unused, goOn: unused, finish: unused },
      known: (kind) => knownNames(asking, kind),
    },
  )
  // Flags beside names would keep a shell from completing the only name.
  const wantsFlags = words.at(-1)?.startsWith('-') === true
  const candidates = found
    .filter(({ completion }) => wantsFlags || !completion.startsWith('-'))
    .map(({ completion, brief, kind }) => ({ word: completion, brief: kind === 'argument:value' ? '' : brief }))
  out.object({ candidates })
  for (const { word, brief } of candidates) out.line(brief === '' ? word : `${word}\t${brief}`)
  return 0
}

/** The cluster that the command line itself names. */
function contextIn(words: readonly string[]): string | undefined {
  const at = words.indexOf('--context')
  const joined = words.find((word) => word.startsWith('--context='))
  return joined?.slice('--context='.length) ?? (at < 0 ? undefined : words[at + 1])
}
