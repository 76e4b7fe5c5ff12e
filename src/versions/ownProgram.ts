import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../lib/durableJson.ts'
import { partFlagsIn } from '../lib/partFlags.ts'
import { installed, type Program } from '../parts/partsFiles.ts'

/** The program that this process runs, and the command line with which a unit would start another program instead. */
export interface OwnProgram {
  /** Folder that contains the program's package.json. */
  folder: string
  node: string
  /** Options of Node itself. */
  options: readonly string[]
  /** `agent run --data …`. */
  words: readonly string[]
}

/** Returns the release of the program if an upgrade brought it; `null` if it is the installed program. */
export const releaseOf = ({ folder }: Pick<OwnProgram, 'folder'>): string | null =>
  basename(dirname(folder)) === 'releases' && /^[0-9a-f]{64}$/.test(basename(folder)) ? basename(folder) : null

/** True if a unit that is set to this command line runs this program; `null` is the installed program. */
export const runsIn = (command: readonly string[] | null, own: OwnProgram): boolean =>
  command === null ? releaseOf(own) === null : command.includes(join(own.folder, 'lib/main.js'))

const scriptOf = (command: readonly string[] | null): string | null =>
  command?.find((word) => word.endsWith('/lib/main.js')) ?? null

/** True if these command lines run the same program, with whatever options; `null` is the installed program. */
export const isSameProgram = (one: readonly string[] | null, other: readonly string[] | null): boolean =>
  (scriptOf(one) ?? one?.join(' ')) === (scriptOf(other) ?? other?.join(' '))

/**
 * Returns the command line that runs this process's command with the program in `folder`: with the memory flags of that
 * program, and the other options of this process.
 */
export function commandIn(folder: string, { folder: own, options, words }: OwnProgram): string[] {
  const flags = partFlagsIn(folder)
  const replaced = new Set([...partFlagsIn(own), ...flags].map(nameOf))
  const others = options.filter((option) => !replaced.has(nameOf(option)))
  return [join(folder, 'bin/node'), ...others, ...flags, join(folder, 'lib/main.js'), ...words]
}

const nameOf = (option: string): string => option.split('=')[0] ?? ''

/** Returns the command line that tries another program. It runs from this program, which is known to work. */
export const trialCommand = (own: OwnProgram, data: string, helper: string): string[] => [
  ...trialProgram(own),
  ...[data, helper],
]

/** Returns the command line that changes the parts of this unit to those of this program. */
export const partsCommand = (own: OwnProgram, data: string, unit: string): string[] => [
  ...trialProgram(own),
  ...['parts', data, unit],
]

function trialProgram({ folder, node }: OwnProgram): string[] {
  const bundled = join(folder, 'lib/trial.js')
  const script = existsSync(bundled) ? bundled : join(folder, 'src/trial.ts')
  return [node, '--disable-warning=ExperimentalWarning', script]
}

/** The program that a unit runs by this command line; `null`: the installed program, which runs by the other one. */
export function programOf(
  command: readonly string[] | null,
  installedCommand: readonly string[] | null,
): Program & { passesOrders: boolean } {
  const script = scriptOf(command ?? installedCommand)
  const folder = script === null ? null : dirname(dirname(script))
  const about = folder === null ? null : readJson(join(folder, 'package.json'))
  const { data } = z.object({ version: z.string(), passesOrders: z.boolean().default(false) }).safeParse(about)
  const id = command === null || folder === null ? installed : basename(folder)
  return { id, version: data?.version ?? null, passesOrders: data?.passesOrders ?? false }
}
