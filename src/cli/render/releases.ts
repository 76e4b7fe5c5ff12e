import type { ReleaseView } from '../../api/views.ts'
import { showAge } from '../duration.ts'
import type { Paint } from '../paint.ts'
import { showBytes } from './names.ts'
import { shortId } from '../../definitions/names.ts'
import { renderTable } from './table.ts'

export interface ListedRelease extends ReleaseView {
  current: boolean
  /** Machines that run instances of the release. */
  machines: string[]
}

/** Oldest first, so that the newest release is next to the prompt. */
export function renderReleases(releases: readonly ListedRelease[], now: number, paint: Paint): string {
  if (releases.length === 0) return 'no release is published'
  const rows = releases.map((release) => [
    shortId(release.release),
    showAge(release.publishedAt, now),
    showBytes(release.bytes),
    release.completedAt === null
      ? paint('dim', 'never completed')
      : `completed ${ago(showAge(release.completedAt, now))}`,
    stateOf(release, paint),
  ])
  return renderTable(['RELEASE', 'AGE', 'SIZE', 'ROLLED OUT', 'NOW'], rows, paint).join('\n')
}

const ago = (age: string): string => (age === 'now' ? 'just now' : `${age} ago`)

function stateOf({ current, machines, collected }: ListedRelease, paint: Paint): string {
  const where = machines.length > 0 ? `runs on ${machines.join(', ')}` : ''
  if (current) return paint('green', where || 'current')
  if (where) return paint('yellow', where)
  return collected ? paint('dim', 'removed by garbage collection; push it again to use it') : ''
}
