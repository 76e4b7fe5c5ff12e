import { statSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { OperatorError } from '../lib/operatorError.ts'

/** Folders that the agent's unit hides from the agent (`ProtectHome=`, systemd.exec(5)). */
const hidden = ['/home', '/root', '/run/user']

/** Refuses a command line that names a file which an agent without root cannot read. Called before a token is used. */
export function mustBeSeenByAgent(words: readonly string[]): void {
  for (const path of words.filter(isAbsolute)) {
    const why = whyUnseen(path)
    if (why === null) continue
    throw new OperatorError('E_ENVIRONMENT', `the agent, which is not root, cannot read ${path}: ${why}`, {
      subject: path,
      next: 'move Tandem to a folder that every user may read, for example below /opt, and join again from there; the token is still valid',
    })
  }
}

function whyUnseen(path: string): string | null {
  const folder = hidden.find((one) => path === one || path.startsWith(`${one}/`))
  if (folder !== undefined) return `systemd hides ${folder} from the agent`
  for (let at = path; ; at = dirname(at)) {
    const about = statSync(at, { throwIfNoEntry: false })
    const needed = about?.isDirectory() ? 0o001 : 0o004
    if (about && (about.mode & needed) === 0)
      return `other users have no access to ${at} (mode 0${(about.mode & 0o777).toString(8)})`
    if (dirname(at) === at) return null
  }
}
