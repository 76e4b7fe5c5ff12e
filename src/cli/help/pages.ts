import { entriesOf, findRoute, isGroup, leavesOf, type CommandTable, type Group } from './commandTree.ts'

const columns = 80
const indent = '  '

/** `tandem --help`: every command by name, on one screen of 80 columns and 24 lines. */
export function overview({ root, groups }: CommandTable): string {
  const width = Math.max(...groups.map(({ name }) => name.length)) + 3
  return [
    'Tandem rolls out releases without losing a request, on a pair of plain machines.',
    '',
    'START HERE',
    `${indent}tandem up                   start a cluster on this laptop`,
    `${indent}tandem push examples/node   deploy a service to it`,
    `${indent}tandem status               see what runs`,
    '',
    'COMMANDS',
    ...groups.flatMap(({ name, commands }) => {
      const listed = wrapped(
        commands.map((command) => withSubcommands(root, command)),
        columns - indent.length - width,
        ', ',
      )
      return listed.map((line, at) => `${indent}${(at === 0 ? name : '').padEnd(width)}${line}`)
    }),
    '',
    `${indent}tandem help GROUP       what the commands of a group do`,
    `${indent}tandem COMMAND --help   the options of a command, and an example`,
    '',
  ].join('\n')
}

/** `tandem help GROUP`: a line for each command of it. */
export function groupPage({ root }: CommandTable, { name, brief, commands }: Group): string {
  const lines = commands
    .flatMap((command) => leavesOf(findRoute(root, [command]).route, [command]))
    .map(({ words, takes, brief: does }): [string, string] => [['tandem', ...words, takes].join(' ').trimEnd(), does])
  const width = Math.max(...lines.map(([typed]) => typed.length)) + 2
  const rows = lines.flatMap(([typed, does]) =>
    wrapped(does.split(' '), Math.max(30, 100 - indent.length - width), ' ').map(
      (line, at) => `${indent}${(at === 0 ? typed : '').padEnd(width)}${line}`,
    ),
  )
  return [`${name}: ${brief}`, '', ...rows, '', `${indent}tandem COMMAND --help   options and an example`, ''].join(
    '\n',
  )
}

/** More stand only on the page of the group. */
const mostSubcommands = 6

/** `rollout show|abort`; a command without subcommands is its name. */
function withSubcommands(root: CommandTable['root'], command: string): string {
  const { route } = findRoute(root, [command])
  if (!isGroup(route)) return command
  const names = entriesOf(route).map(({ name }) => name)
  const shown = names.length > mostSubcommands ? [...names.slice(0, mostSubcommands), '…'] : names
  return `${command} ${shown.join('|')}`
}

/** Parts in lines of at most `width`, none of them cut. */
function wrapped(parts: readonly string[], width: number, separator: string): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    if (last !== undefined && `${last}${separator}${part}`.length <= width)
      lines[lines.length - 1] = `${last}${separator}${part}`
    else {
      if (last !== undefined && separator !== ' ') lines[lines.length - 1] = `${last}${separator.trimEnd()}`
      lines.push(part)
    }
  }
  return lines
}
