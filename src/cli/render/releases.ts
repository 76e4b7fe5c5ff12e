import type { ReleaseView } from '../../api/views.ts'
import { showAge } from '../duration.ts'
import type { Paint } from '../paint.ts'
import { onOneLine, showBytes } from './names.ts'
import { shortId } from '../../definitions/names.ts'
import { renderTable } from './table.ts'

export interface ListedRelease extends ReleaseView {
  current: boolean
  /** Machines that run instances of the release. */
  machines: string[]
}

const shownSubject = 40

/** Oldest first, so that the newest release is next to the prompt. */
export function renderReleases(releases: readonly ListedRelease[], now: number, paint: Paint): string {
  if (releases.length === 0) return 'no release is published'
  const rows = releases.map((release) => [
    shortId(release.release),
    showAge(release.publishedAt, now),
    release.by === null ? paint('dim', 'not recorded') : onOneLine(release.by),
    commitOf(release),
    showBytes(release.bytes),
    release.completedAt === null
      ? paint('dim', 'never completed')
      : `completed ${ago(showAge(release.completedAt, now))}`,
    stateOf(release, paint),
  ])
  return renderTable(['RELEASE', 'AGE', 'BY', 'COMMIT', 'SIZE', 'ROLLED OUT', 'NOW'], rows, paint).join('\n')
}

/** The subject leaves room for the other columns. */
function commitOf({ source }: ListedRelease): string {
  if (source === null) return '-'
  const subject = onOneLine(source.subject)
  const shown = subject.length <= shownSubject ? subject : `${subject.slice(0, shownSubject - 1).toWellFormed()}…`
  return `${source.commit.slice(0, 8)}${source.dirty ? '+changes' : ''} ${shown}`
}

const ago = (age: string): string => (age === 'now' ? 'just now' : `${age} ago`)

function stateOf({ current, machines, collected }: ListedRelease, paint: Paint): string {
  const where = machines.length > 0 ? `runs on ${machines.join(', ')}` : ''
  if (current) return paint('green', where || 'current')
  if (where) return paint('yellow', where)
  return collected ? paint('dim', 'removed by garbage collection; push it again to use it') : ''
}
