import { relative } from 'node:path'
import { OperatorError } from '../../../lib/operatorError.ts'
import type { InstanceSpec } from '../supervisor.ts'
import { jailPatterns } from '../../../definitions/jailPatterns.ts'
import { problem } from '../process/executable.ts'
import { jailLines } from './jailLines.ts'
import { stopLines } from './stopLines.ts'
import { quoteIfNeeded, quoteWord } from '../../../systemd/quoting.ts'
import { sliceName, unitName, userName } from './unitName.ts'
import { streamPaths } from './unitStreams.ts'
import { dataParent, shownFiles } from '../../../layout/folders.ts'
import { haproxyUnit } from '../../../layout/units.ts'

/** A secret that systemd decrypts when it starts the unit, into $CREDENTIALS_DIRECTORY. */
export interface Credential {
  name: string
  /** Absolute. */
  path: string
  /** It holds variables for the program, as an EnvironmentFile=. */
  isVariables?: boolean
  /** Where the program finds it besides, below `shownFiles`. */
  shownAt?: string
}

export interface UnitPlaces {
  /** The program that argv[0] names, absolute. */
  executable: string
  environmentFile: string
  /** Folders that no service may see; a release inside such a folder is still visible. */
  hidden: string[]
  /** The number of the service's own user; left out: its user is another one. */
  owner?: number
  /** systemd 254 and later can wait longer after each crash. */
  hasRestartSteps: boolean
  credentials?: readonly Credential[]
}

/** Enough for a server with ten thousand connections; systemd's default of 1024 is not. */
const defaultOpenFiles = 65_536
export const execWithinMs = 30_000
/** Variables that systemd adds to the environment on its own. An instance gets only the variables of its definition. */
const addedBySystemd = [
  ...['HOME', 'INVOCATION_ID', 'JOURNAL_STREAM', 'LANG', 'LOGNAME', 'MEMORY_PRESSURE_WATCH', 'MEMORY_PRESSURE_WRITE'],
  ...['PATH', 'SHELL', 'STATE_DIRECTORY', 'SYSTEMD_EXEC_PID', 'USER'],
]

/** The unit of one instance. The same spec gives the same bytes. */
export function unitText(spec: InstanceSpec, places: UnitPlaces): string {
  const { id, service, release, once = false } = spec
  refuseHidden(spec.jail?.write ?? [], [...places.hidden, ...alwaysHidden])
  const lines = [
    `# ${unitName(service, id)}: an instance of the service ${service}.`,
    `#   instance  ${id}`,
    `#   release   ${release}`,
    '# Written by Tandem, see docs/files.md: inspect and restart it like any other unit; changes to this file are lost with the instance.',
    '',
    '[Unit]',
    `Description=${service}, release ${release.slice(0, 12)} (Tandem)`,
    `After=network.target${spec.callsServices ? ` ${haproxyUnit}` : ''}`,
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    ...programLines(spec, places),
    ...credentialLines(places),
    '',
    ...lifeLines(spec, places),
    '',
    ...limitLines(spec),
    '',
    ...outputLines(spec),
    `SyslogIdentifier=${service}`,
    'SyslogLevelPrefix=no',
    `LogExtraFields=TANDEM_SERVICE=${service} TANDEM_INSTANCE=${id}`,
    'LogRateLimitIntervalSec=30s',
    'LogRateLimitBurst=10000',
    '',
    '# The jail; docs/definition.md lists the keys that open it.',
    ...userLines(spec),
    ...jailLines(spec.jail ?? {}, { memoryBytes: spec.limits.memoryBytes, owner: places.owner ?? null }),
    ...places.hidden.map((folder) => hidingLine(folder, spec)),
    `BindReadOnlyPaths=${checkPath(spec.cwd)}`,
    ...(spec.sees ?? []).map((folder) => `BindReadOnlyPaths=${checkPath(folder)}`),
    ...(once
      ? []
      : ['', '# systemd starts this unit after a reboot, without Tandem.', '[Install]', 'WantedBy=multi-user.target']),
    '',
    ...recordLines(spec),
    '',
  ]
  return lines.join('\n')
}

/** Read again by `readRecord`. */
export const recordLines = ({ id, service, release, once, stop, notify, env, isSigned }: InstanceSpec): string[] => [
  '[X-Tandem]',
  `Service=${service}`,
  `Instance=${id}`,
  `Release=${release}`,
  `Once=${once ? 'yes' : 'no'}`,
  `Signal=${stop.signal}`,
  `WithinMs=${stop.withinMs}`,
  ...(notify ? ['Notify=yes'] : []),
  ...(isSigned ? ['Signed=yes'] : []),
  ...(env['PORT'] === undefined ? [] : [`Port=${Number(env['PORT'])}`]),
]

export function outputLines({ service, id, attached }: InstanceSpec): string[] {
  if (!attached) return ['# The journal keeps the output.']
  const paths = streamPaths(unitName(service, id))
  return [
    '# The caller of the program owns its input and output.',
    `StandardInput=file:${paths.in}`,
    `StandardOutput=file:${paths.out}`,
    `StandardError=file:${paths.err}`,
  ]
}

function programLines(
  { argv, cwd, env, once, notify }: InstanceSpec,
  { executable, environmentFile }: UnitPlaces,
): string[] {
  const unset = addedBySystemd.filter((name) => env[name] === undefined)
  return [
    `Type=${notify ? 'notify' : 'exec'}`,
    // With the colon, systemd passes `$` in arguments to the program unchanged.
    `ExecStart=:${[quoteWord(checkPath(executable)), ...argv.slice(1).map(quoteWord)].join(' ')}`,
    `WorkingDirectory=${checkPath(cwd)}`,
    `EnvironmentFile=${checkPath(environmentFile)}`,
    `UnsetEnvironment=${unset.join(' ')}`,
    ...(once ? ['RemainAfterExit=yes'] : []),
    `TimeoutStartSec=${notify?.withinMs ?? execWithinMs}ms`,
    ...(notify ? ['NotifyAccess=all'] : []),
    ...(notify?.watchdogMs ? [`WatchdogSec=${notify.watchdogMs}ms`] : []),
  ]
}

/** Never with `+`: as root, it would load what LD_PRELOAD of the service names. */
const beforeProgram = 'ExecStartPre=/bin/true'

/**
 * The variables among the secrets are in a credential too. systemd has decrypted it only once the first command of the
 * unit has begun, so another one comes before the program.
 */
function credentialLines({ credentials = [] }: UnitPlaces): string[] {
  if (credentials.length === 0) return []
  const variables = credentials.filter(({ isVariables }) => isVariables)
  const shown = credentials.flatMap(({ name, shownAt }) => (shownAt === undefined ? [] : [{ name, shownAt }]))
  return [
    '',
    '# Its secrets. Only systemd reads these files; the values are in memory that is never swapped.',
    ...credentials.map(({ name, path }) => `LoadCredentialEncrypted=${name}:${checkPath(path)}`),
    ...variables.flatMap(({ name }) => [`EnvironmentFile=-%d/${name}`, beforeProgram]),
    ...(shown.length === 0 ? [] : [`TemporaryFileSystem=${shownFiles}:ro`]),
    ...shown.map(({ name, shownAt }) => `BindReadOnlyPaths=%d/${name}:${checkPath(shownAt)}`),
    '# A core would hold them. The kernel hands one to a program even at 0.',
    'LimitCORE=1',
  ]
}

function lifeLines({ once, stop }: InstanceSpec, { hasRestartSteps }: UnitPlaces): string[] {
  const restart = [
    'Restart=always',
    'RestartSec=1',
    ...(hasRestartSteps ? ['RestartSteps=5', 'RestartMaxDelaySec=30'] : []),
  ]
  return [...(once ? ['Restart=no'] : restart), ...stopLines({ stop })]
}

function limitLines({ service, limits }: InstanceSpec): string[] {
  const { memoryBytes, cpu, tasks, files = defaultOpenFiles } = limits
  return [
    `Slice=${sliceName(service)}`,
    ...(memoryBytes === null ? [] : [`MemoryMax=${memoryBytes}`, 'MemorySwapMax=0']),
    ...(cpu === null ? [] : [`CPUQuota=${Math.max(1, Math.round(cpu * 100))}%`]),
    ...(tasks === null ? [] : [`TasksMax=${tasks}`]),
    `LimitNOFILE=${files}`,
  ]
}

function userLines({ service, jail, isWithoutData }: InstanceSpec): string[] {
  if (jail?.user !== undefined && !jailPatterns.user.test(jail.user))
    throw problem('the user is not a valid user name', jail.user, 'name a user of this machine')
  return [
    ...(jail?.user === undefined ? ['DynamicUser=yes', `User=${userName(service)}`] : [`User=${jail.user}`]),
    ...(isWithoutData
      ? []
      : [`StateDirectory=${quoteIfNeeded(`${dataParent}/${service}`)}`, 'StateDirectoryMode=0700']),
  ]
}

/** The machine's folder of shared memory has another mount there, and the files of the service have their own. */
const alwaysHidden = ['/dev/shm', shownFiles]

/** systemd leaves out the empty folder that it mounts over a hidden one, if the same path is to be writable. */
function refuseHidden(writable: readonly string[], hidden: readonly string[]): void {
  const wrong = writable.find((path) => hidden.some((folder) => isIn(path, folder)))
  if (wrong === undefined) return
  throw new OperatorError('E_DEFINITION', `\`jail: write: ${wrong}\` is a folder that no service sees`, {
    subject: wrong,
    next: 'name another folder; a service keeps its data in its TANDEM_DATA',
  })
}

const isIn = (path: string, folder: string): boolean => !/^\.\.(?:\/|$)/.test(relative(folder, path))

/** The release stays visible in a hidden folder that holds it. Any other is closed: a link to it in `write` opens nothing. */
const hidingLine = (folder: string, { cwd }: InstanceSpec): string =>
  isIn(cwd, folder) ? `TemporaryFileSystem=${checkPath(folder)}:ro` : `InaccessiblePaths=-${checkPath(folder)}`

/** Most directives do not accept quoted paths, and systemd rejects some characters in any path. */
function checkPath(path: string): string {
  // Space and control characters are not allowed either.
  if (/^\/[^\s"'\\:%\p{Cc}]*$/u.test(path)) return path
  throw problem(
    'systemd cannot run a program from this path',
    path,
    'use a path without spaces, quotes, colons and percent signs',
  )
}
