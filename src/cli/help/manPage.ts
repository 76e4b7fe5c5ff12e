import { findRoute, leavesOf, type CommandTable, type Leaf } from './commandTree.ts'
import { kebab } from './helpJson.ts'
import { agentData, controllerData, secretsFolder } from '../../layout/folders.ts'

/** The manual page tandem(1), in the man macros of groff_man(7). `date`: seconds since 1970. */
export function manPage({ root, groups }: CommandTable, version: string, date: number): string {
  const day = new Date(date * 1000).toISOString().slice(0, 10)
  const sections = groups.flatMap(({ name, brief, commands }) => [
    `.SS "${text(`${name}: ${brief}`)}"`,
    ...commands.flatMap((command) => leavesOf(findRoute(root, [command]).route, [command])).flatMap(about),
  ])
  return `${[
    `.TH TANDEM 1 "${day}" "Tandem ${text(version)}" "Tandem"`,
    ...['.SH NAME', 'tandem \\- roll out releases without losing a request, on a pair of plain machines'],
    ...['.SH SYNOPSIS', '.B tandem', '.I COMMAND', '.RI [ OPTION \\|.\\|.\\|.]', '.RI [ ARGUMENT \\|.\\|.\\|.]'],
    ...['.SH DESCRIPTION', ...description.map(text)],
    ...['.SH OPTIONS', 'Every command takes:'],
    ...option('--json', 'Print one JSON object a line on standard output, and nothing else.'),
    ...option('--context NAME', 'Use this cluster; see tandem context list.'),
    ...option('-h, --help', 'Explain the command and show an example.'),
    ...['.SH COMMANDS', ...sections],
    ...['.SH EXIT STATUS', ...exitStatus.flatMap(([code, meaning]) => option(code, meaning))],
    ...['.SH ENVIRONMENT', ...environment.flatMap(([name, meaning]) => option(name, meaning))],
    ...['.SH FILES', ...files.flatMap(([name, meaning]) => option(name, meaning))],
    ...['.SH SEE ALSO', '.BR systemd.service (5),', '.BR haproxy (1),', '.BR keepalived (8)', '.PP'],
    'Operations guide, definition file and error codes: the folder docs beside the program.',
  ].join('\n')}\n`
}

const description = [
  'Tandem runs services on a pair, or a few, of plain machines: systemd runs them, HAProxy leads requests to them, keepalived moves addresses.',
  'A rollout goes through the machines one after the other and loses no request; a release that does not become ready is reverted.',
]

const exitStatus = [
  ['0', 'Done, or nothing to do.'],
  ['1', 'Tried and failed: a build, a test, a rollout that was reverted or aborted.'],
  ['2', 'Wrong usage, or an invalid definition.'],
  ['3', 'The controller is not reachable.'],
  [
    '4',
    'Refused: something else is in progress, a route is taken, a name is unknown, or the token does not permit it.',
  ],
  ['70', 'A bug in Tandem.'],
  ['130', 'Interrupted with Ctrl-C.'],
] as const

const environment = [
  ['TANDEM_CONTEXT', 'Name of the context to use.'],
  ['TANDEM_URL, TANDEM_TOKEN', 'Address of a controller and a token for it, instead of a context.'],
  ['NO_COLOR', 'Print no colours.'],
  ['XDG_CONFIG_HOME, XDG_STATE_HOME', 'Where contexts and the data of a cluster on a laptop are kept.'],
] as const

const files = [
  ['tandem.yaml', 'Definition of a service.'],
  ['cluster.yaml', 'Definition of a cluster: its machines, addresses and entry.'],
  [`${secretsFolder}/SERVICE.env`, 'Secrets of a service on a machine; mode 0600.'],
  [`${agentData}, ${controllerData}`, 'Data of the agent and of the controller.'],
] as const

function about({ words, takes, brief, command }: Leaf): string[] {
  const [explained = '', examples = ''] = (command.fullDescription ?? brief).split('\n\nEXAMPLE\n')
  const more = explained.split('\n').slice(1).filter(Boolean)
  const flags = Object.entries(command.parameters.flags ?? {})
    .filter(([name]) => name !== 'json' && name !== 'context')
    .flatMap(([name, flag]) => option(flagText(name, flag), flag.brief))
  return [
    '.TP',
    `.B ${text(['tandem', ...words].join(' '))}${takes === '' ? '' : ` \\fI${text(takes)}\\fR`}`,
    ...[brief, ...more].map((line) => text(line.endsWith('.') ? line : `${line}.`)),
    ...(flags.length === 0 ? [] : ['.RS', ...flags, '.RE']),
    ...['.IP', '.EX', ...examples.split('\n').map((line) => text(line.trim())), '.EE'],
  ]
}

const flagText = (name: string, flag: { kind: string; placeholder?: string }): string =>
  `--${kebab(name)}${flag.kind === 'boolean' ? '' : ` ${flag.placeholder ?? 'VALUE'}`}`

const option = (name: string, meaning: string): string[] => ['.TP', `.B ${text(name)}`, text(meaning)]

/** Characters that groff reads as its own are escaped; a line may not begin with a request. */
function text(plain: string): string {
  const escaped = plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('…', '\\|.\\|.\\|.')
  return escaped.startsWith('.') ? `\\&${escaped}` : escaped
}
