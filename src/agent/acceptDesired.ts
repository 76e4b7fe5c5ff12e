import type { DesiredState } from '../protocol/desiredState.ts'
import type { Seen } from '../protocol/report.ts'

export type Acceptance = { accepted: true } | { accepted: false; message: string }

/**
 * Decides whether this machine may obey a desired state. It refuses an older term, an older position, and an event log
 * that lacks what this machine has seen (a log restored from a backup, or a fork). A term marked `recovered` and newer
 * than the last term seen is accepted: an operator has confirmed the loss.
 */
export function acceptDesired(seen: Seen | null, desired: DesiredState): Acceptance {
  if (!seen) return { accepted: true }
  if (desired.term < seen.term) {
    return refuse(
      `the controller's term ${desired.term} is older than term ${seen.term}, which this machine has obeyed`,
    )
  }
  if (desired.terms.some((record) => record.recovered && record.term > seen.term)) return { accepted: true }

  const index = desired.terms.findIndex((record) => record.term === seen.term)
  if (index < 0 || desired.terms[index]?.id !== seen.termId) {
    return refuse(
      `the controller's event log does not contain term ${seen.term}, which this machine has obeyed: the log was restored from a backup or belongs to another cluster`,
    )
  }
  const next = desired.terms[index + 1]
  if ((next && next.start <= seen.position) || desired.position < seen.position) {
    return refuse(
      `the controller's event log lacks events that this machine has seen (position ${seen.position}): the log was restored from a backup`,
    )
  }
  return { accepted: true }
}

const refuse = (message: string): Acceptance => ({ accepted: false, message })
