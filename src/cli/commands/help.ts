import { run } from '@stricli/core'
import { buildApplicationFor } from '../application.ts'
import { findRoute, type CommandTable } from '../help/commandTree.ts'
import { helpJson } from '../help/helpJson.ts'
import { groupPage, overview } from '../help/pages.ts'
import type { CommonFlags, Session } from '../session.ts'
import { unknownCommand } from '../usage.ts'
import { OperatorError } from '../../lib/operatorError.ts'

/** Prints the overview, the page of a group, or the help of a command. A group's name wins over a command's. */
export async function help(session: Session, _flags: CommonFlags, ...words: string[]): Promise<number> {
  const { out, host, commands } = session
  const group = words.length === 1 ? commands.groups.find(({ name }) => name === words[0]) : undefined
  const text =
    words.length === 0
      ? overview(commands)
      : group
        ? groupPage(commands, group)
        : await commandHelp(commands, words, host.version)
  out.result({ help: helpJson(commands, group ? [] : words, text) }, () => text.trimEnd())
  return 0
}

async function commandHelp(commands: CommandTable, words: string[], version: string): Promise<string> {
  if (findRoute(commands.root, words).found.length < words.length) throw unknownCommand(commands, words.join(' '))
  let text = ''
  const stdout = { write: (some: string) => void (text += some) }
  const never = (): never => {
    throw new OperatorError('E_BUG', 'help runs no command')
  }
  const context = {
    process: { stdout, stderr: stdout },
    open: never,
    goOn: never,
    finish: never,
    known: async () => [],
  }
  await run(buildApplicationFor(commands, version, words, never), [...words, '--help'], context)
  return text
}
