import { statSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { OperatorError } from '../lib/operatorError.ts'

/** Folders that the unit of an unprivileged part hides from it (`ProtectHome=`, systemd.exec(5)). */
const hidden = ['/home', '/root', '/run/user']

interface Unseen {
  part: 'agent' | 'controller'
  /** For the refusal, after the place to which Tandem should move. */
  again: string
}

/** Refuses a command line that names a file which a part without root cannot read. Called before anything is done. */
export function mustBeSeen(words: readonly string[], { part, again }: Unseen): void {
  for (const path of words.filter(isAbsolute)) {
    const why = whyUnseen(path)
    if (why === null) continue
    throw new OperatorError('E_ENVIRONMENT', `the ${part}, which is not root, cannot read ${path}: ${why}`, {
      subject: path,
      next: `move Tandem to a folder that every user may read, for example below /opt, and ${again}`,
    })
  }
}

function whyUnseen(path: string): string | null {
  const folder = hidden.find((one) => path === one || path.startsWith(`${one}/`))
  if (folder !== undefined) return `systemd hides ${folder} from it`
  for (let at = path; ; at = dirname(at)) {
    const about = statSync(at, { throwIfNoEntry: false })
    const needed = about?.isDirectory() ? 0o001 : 0o004
    if (about && (about.mode & needed) === 0)
      return `other users have no access to ${at} (mode 0${(about.mode & 0o777).toString(8)})`
    if (dirname(at) === at) return null
  }
}
