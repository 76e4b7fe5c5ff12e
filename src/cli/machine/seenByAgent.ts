import { statSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { OperatorError } from '../../lib/operatorError.ts'

/** What the agent's unit hides from it (`ProtectHome=`, systemd.exec(5)). */
const hidden = ['/home', '/root', '/run/user']

/** Refuses words of a command line that name a file which an agent without root would not see. Asked before a token is used up. */
export function mustBeSeenByAgent(words: readonly string[]): void {
  for (const path of words.filter(isAbsolute)) {
    const why = whyUnseen(path)
    if (why === null) continue
    throw new OperatorError('E_ENVIRONMENT', `the agent, which is not root, cannot read ${path}: ${why}`, {
      subject: path,
      next: 'move Tandem to where everybody may read it, for example below /opt, and join again from there; the token is not used up',
    })
  }
}

function whyUnseen(path: string): string | null {
  const folder = hidden.find((one) => path === one || path.startsWith(`${one}/`))
  if (folder !== undefined) return `${folder} is hidden from it`
  for (let at = path; ; at = dirname(at)) {
    const about = statSync(at, { throwIfNoEntry: false })
    const needed = about?.isDirectory() ? 0o001 : 0o004
    if (about && (about.mode & needed) === 0)
      return `${at} is closed to others (mode 0${(about.mode & 0o777).toString(8)})`
    if (dirname(at) === at) return null
  }
}
