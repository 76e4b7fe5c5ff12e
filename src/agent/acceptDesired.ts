import type { DesiredState } from '../protocol/desiredState.ts'
import type { Seen } from '../protocol/report.ts'

export type Acceptance = { accepted: true } | { accepted: false; message: string }

/**
 * May this machine obey? Not an older term, not an older position, and not a log that does not hold what this machine
 * has seen: one restored from a backup, or a fork. A leadership marked `recovered` above what was seen is a person's
 * word that it may.
 */
export function acceptDesired(seen: Seen | null, desired: DesiredState): Acceptance {
  if (!seen) return { accepted: true }
  if (desired.term < seen.term) {
    return refuse(`its term ${desired.term} is older than ${seen.term}, which this machine has obeyed`)
  }
  if (desired.terms.some((record) => record.recovered && record.term > seen.term)) return { accepted: true }

  const index = desired.terms.findIndex((record) => record.term === seen.term)
  if (index < 0 || desired.terms[index]?.id !== seen.termId) {
    return refuse(
      `its event log does not know term ${seen.term} that this machine has obeyed: it was restored from a backup, or is another log`,
    )
  }
  const next = desired.terms[index + 1]
  if ((next && next.start <= seen.position) || desired.position < seen.position) {
    return refuse(
      `its event log lacks what this machine has seen (position ${seen.position}): it was restored from a backup`,
    )
  }
  return { accepted: true }
}

const refuse = (message: string): Acceptance => ({ accepted: false, message })
