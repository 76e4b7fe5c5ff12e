import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

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

/** Returns the release of the program if an upgrade put it below `releases`; `null` if it is the installed program. */
export const releaseOf = ({ folder }: OwnProgram, releases: string): string | null =>
  dirname(folder) === releases ? basename(folder) : null

/** Returns the command line that runs this process's command with the program in `folder`. */
export const commandIn = (folder: string, { options, words }: OwnProgram): string[] => [
  ...[join(folder, 'bin/node'), ...options, join(folder, 'lib/main.js')],
  ...words,
]

/** Returns the command line that tries another program. It runs from this program, which is known to work. */
export function trialCommand({ folder, node }: OwnProgram, data: string, helper: string): string[] {
  const bundled = join(folder, 'lib/trial.js')
  const script = existsSync(bundled) ? bundled : join(folder, 'src/trial.ts')
  return [node, '--disable-warning=ExperimentalWarning', script, data, helper]
}
