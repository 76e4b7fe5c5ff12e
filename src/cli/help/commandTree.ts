import type { Command, RouteMap } from '@stricli/core'
import type { CliContext } from '../command.ts'

/** Commands that people look for together. `commands`: names of top-level commands, in the order of the help. */
export interface Group {
  name: string
  brief: string
  commands: string[]
}

/** All commands, and how they are grouped. */
export interface CommandTable {
  root: RouteMap<CliContext>
  groups: Group[]
}

export type CommandRoute = RouteMap<CliContext> | Command<CliContext>

export interface Leaf {
  /** As it is typed, without `tandem`: `machine drain`. */
  words: string[]
  /** `MACHINE`, `[SERVICE]`, `FILE…`: its arguments. */
  takes: string
  brief: string
  command: Command<CliContext>
}

export const isGroup = (route: CommandRoute): route is RouteMap<CliContext> => 'getAllEntries' in route

/** The visible entries of a command with subcommands. */
export function entriesOf(route: RouteMap<CliContext>): { name: string; target: CommandRoute }[] {
  return route
    .getAllEntries()
    .filter(({ hidden }) => !hidden)
    .map(({ name, target }) => ({ name: name['convert-camel-to-kebab'], target }))
}

/** The command that `words` name below `root`, as far as they name one. */
export function findRoute(root: CommandRoute, words: readonly string[]): { route: CommandRoute; found: string[] } {
  let route = root
  const found: string[] = []
  for (const word of words) {
    const next: { target: CommandRoute } | undefined = isGroup(route)
      ? entriesOf(route).find(({ name }) => name === word)
      : undefined
    if (!next) break
    found.push(word)
    route = next.target
  }
  return { route, found }
}

/** Every command without subcommands below `route`, which is typed as `words`. */
export function leavesOf(route: CommandRoute, words: string[] = []): Leaf[] {
  if (isGroup(route)) return entriesOf(route).flatMap(({ name, target }) => leavesOf(target, [...words, name]))
  return [{ words, takes: takesOf(route), brief: route.brief, command: route }]
}

function takesOf({ parameters }: Command<CliContext>): string {
  const { positional } = parameters
  if (!positional) return ''
  if (positional.kind === 'array') {
    const { placeholder = 'VALUE' } = positional.parameter
    return positional.minimum ? `${placeholder}…` : `[${placeholder}…]`
  }
  return positional.parameters
    .map(({ placeholder = 'VALUE', optional, default: preset }) =>
      optional === true || preset !== undefined ? `[${placeholder}]` : placeholder,
    )
    .join(' ')
}
