import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The program that this process runs, and how a unit would start another in its place. */
export interface OwnProgram {
  /** The folder that holds its package.json. */
  folder: string
  node: string
  /** Options of Node's own. */
  options: readonly string[]
  /** `agent run --data …`. */
  words: readonly string[]
}

/** The release it is, when it is one that an upgrade put below `releases`; `null`: the one that is installed. */
export const releaseOf = ({ folder }: OwnProgram, releases: string): string | null =>
  dirname(folder) === releases ? basename(folder) : null

/** The command line that runs what this process does with the program in `folder`. */
export const commandIn = (folder: string, { options, words }: OwnProgram): string[] => [
  ...[join(folder, 'bin/node'), ...options, join(folder, 'lib/main.js')],
  ...words,
]

/** The command line that tries another program: of this program, which has proven itself. */
export function trialCommand({ folder, node }: OwnProgram, data: string, helper: string): string[] {
  const bundled = join(folder, 'lib/trial.js')
  const script = existsSync(bundled) ? bundled : join(folder, 'src/trial.ts')
  return [node, '--disable-warning=ExperimentalWarning', script, data, helper]
}
