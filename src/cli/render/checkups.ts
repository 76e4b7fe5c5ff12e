import type { Checkup, Finding } from '../../protocol/checkup.ts'
import type { Paint } from '../paint.ts'
import { count } from './names.ts'
import { seen } from './seen.ts'
import { renderTable } from './table.ts'

/** `at`: when the controller made it; absent: just now. */
type Made = Checkup & { at?: string }

/** Lists the problems, then the checks that could not be made, each on one aligned line; ends with a summary. */
export function renderCheckups(checkups: readonly Made[], paint: Paint, now: number): string {
  const all = checkups.flatMap(({ machine, findings }) => findings.map((finding) => ({ machine, ...finding })))
  const sorted = [...all.filter(isWrong), ...all.filter((finding) => !isWrong(finding))]
  const rows = sorted.map(({ machine, area, level, what, next }) => [
    level === 'wrong' ? paint('red', '!') : paint('yellow', '?'),
    ...[machine, area, what, next ?? ''],
  ])
  const lines = rows.length === 0 ? [] : renderTable(['', 'MACHINE', 'WHERE', 'WHAT', 'WHAT TO DO'], rows, paint)
  return [...lines, ...(lines.length > 0 ? [''] : []), `${verdict(checkups, all, paint)}${ageOf(checkups, now)}`].join(
    '\n',
  )
}

/** `; the oldest 4m ago`. */
function ageOf(checkups: readonly Made[], now: number): string {
  const oldest = checkups.flatMap(({ at }) => at ?? []).toSorted()[0]
  return oldest === undefined ? '' : `; the oldest ${seen(oldest, now)}`
}

const isWrong = ({ level }: Finding): boolean => level === 'wrong'

function verdict(checkups: readonly Checkup[], findings: readonly Finding[], paint: Paint): string {
  const wrong = findings.filter(isWrong).length
  const checks = checkups.reduce((sum, { checked }) => sum + checked.length, 0)
  const unchecked = findings.length - wrong
  const said = wrong === 0 ? paint('green', 'no problem found') : paint('red', `${count(wrong, 'problem')} found`)
  const made = `${count(checks, 'check')} on ${checkups.map(({ machine }) => machine).join(', ') || 'nothing'}`
  return `${said}: ${made}${unchecked > 0 ? `; ${count(unchecked, 'check')} could not be made` : ''}`
}
