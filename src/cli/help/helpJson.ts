import { entriesOf, findRoute, isGroup, type CommandTable, type Group } from './commandTree.ts'

interface Help {
  /** As it is typed. */
  command: string
  brief: string
  /** The help as people read it. */
  text: string
  /** Of `tandem` alone. */
  groups?: Group[]
  /** Of a command with subcommands. */
  commands?: { name: string; brief: string }[]
  /** Of a command: its flags, each with the value it takes; `null` for a switch. */
  flags?: { name: string; brief: string; takes: string | null }[]
}

/** Describes the command that `args` names, as `--help` does, for programs. */
export function helpJson({ root, groups }: CommandTable, args: readonly string[], text: string): Help {
  const { route, found } = findRoute(root, args)
  const about = { command: ['tandem', ...found].join(' '), brief: route.brief, text: text.trimEnd() }
  if (!isGroup(route)) return { ...about, flags: Object.entries(route.parameters.flags ?? {}).map(flagOf) }
  const commands = entriesOf(route).map(({ name, target }) => ({ name, brief: target.brief }))
  return { ...about, ...(found.length === 0 ? { groups } : {}), commands }
}

function flagOf([name, flag]: [string, { brief: string; kind: string; placeholder?: string }]): {
  name: string
  brief: string
  takes: string | null
} {
  return {
    name: `--${kebab(name)}`,
    brief: flag.brief,
    takes: flag.kind === 'boolean' ? null : (flag.placeholder ?? 'VALUE'),
  }
}

export const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
