import { execFileSync } from 'node:child_process'

/**
 * Time of the last change of the sources, in seconds: SOURCE_DATE_EPOCH (reproducible-builds.org), else the time of the
 * commit. All shipped dates have this value.
 */
export function sourceDate(root: string, env: NodeJS.ProcessEnv): number {
  const given = env['SOURCE_DATE_EPOCH']
  const text = given ?? execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }).trim()
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new Error(`"${text}" is not a time in seconds: set SOURCE_DATE_EPOCH, or build from a git checkout`)
}
