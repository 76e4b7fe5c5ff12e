import { execFileSync } from 'node:child_process'

/**
 * When the sources were last changed, in seconds: SOURCE_DATE_EPOCH (reproducible-builds.org), else the time of the commit.
 * Every date in what ships is this one.
 */
export function sourceDate(root: string, env: NodeJS.ProcessEnv): number {
  const given = env['SOURCE_DATE_EPOCH']
  const text = given ?? execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }).trim()
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new Error(`"${text}" is no time in seconds: set SOURCE_DATE_EPOCH, or build from a git checkout`)
}
