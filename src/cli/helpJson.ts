import type { Command, RouteMap } from '@stricli/core'
import type { CliContext } from './command.ts'
import { routes } from './routes.ts'

interface Help {
  /** The command as a user types it. */
  command: string
  brief: string
  /** The help text that people read. */
  text: string
  /** Subcommands; only for a group. */
  commands?: { name: string; brief: string }[]
  /** Flags, each with the placeholder of its value; only for a command. */
  flags?: { name: string; brief: string; takes: string | null }[]
}

type Route = RouteMap<CliContext> | Command<CliContext>

/** Describes the command that `args` names: the machine-readable form of `--help`. */
export function helpJson(args: readonly string[], text: string): Help {
  let at: Route = routes
  const words = ['tandem']
  for (const word of args) {
    if (!('getAllEntries' in at)) break
    const entry: { target: Route } | undefined = at
      .getAllEntries()
      .find(({ name }) => name['convert-camel-to-kebab'] === word)
    if (!entry) break
    words.push(word)
    at = entry.target
  }
  const about = { command: words.join(' '), brief: at.brief, text: text.trimEnd() }
  if ('getAllEntries' in at) {
    const entries = at.getAllEntries().filter(({ hidden }) => !hidden)
    return {
      ...about,
      commands: entries.map(({ name, target }) => ({ name: name['convert-camel-to-kebab'], brief: target.brief })),
    }
  }
  return { ...about, flags: Object.entries(at.parameters.flags ?? {}).map(flagOf) }
}

function flagOf([name, flag]: [string, { brief: string; kind: string; placeholder?: string }]): {
  name: string
  brief: string
  takes: string | null
} {
  const kebab = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return {
    name: `--${kebab}`,
    brief: flag.brief,
    takes: flag.kind === 'boolean' ? null : (flag.placeholder ?? 'VALUE'),
  }
}
