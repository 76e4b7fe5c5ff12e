import { useSignal, type ReadonlySignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { DryRun } from '../../src/api/operation.ts'
import { Refused, Unreachable } from './api.ts'
import { useCluster } from './cluster.ts'

/** The controller's decision about a change, if it were asked now. */
export type Rehearsal =
  | { state: 'asking' }
  | { state: 'may'; steps: string[] }
  | { state: 'refused'; why: string; next: string | null }

/** Refusals that end by themselves, or by something else that somebody can do first. */
const passing: ReadonlySet<string> = new Set([
  ...['E_ROLLOUT_IN_PROGRESS', 'E_MACHINE_BUSY', 'E_MACHINE_LOST', 'E_NO_MACHINE_REACHABLE', 'E_STORE_FULL'],
  ...['E_LOG_UNWRITABLE', 'E_OUTAGE', 'E_UPGRADE_IN_PROGRESS'],
])

/** A refusal as its button says it. */
export function refusalWords(error: unknown): { why: string; next: string | null } {
  if (error instanceof Refused) {
    return { why: `${passing.has(error.code) ? 'Not now' : 'Not possible'}: ${error.message}.`, next: error.next }
  }
  if (error instanceof Unreachable) return { why: `Not now: ${error.message}.`, next: null }
  throw error
}

const rehearsalOf = ({ events }: DryRun): Rehearsal =>
  events.length === 0
    ? { state: 'refused', why: 'Nothing to do: it is so already.', next: null }
    : { state: 'may', steps: events.map(({ type, words }) => words || type) }

/**
 * Asks the controller what a change would do, again whenever `version` is another; not while nothing can be changed, and
 * not for `version` `null`.
 */
export function useRehearsal(
  ask: (signal: AbortSignal) => Promise<DryRun>,
  version: string | null,
): ReadonlySignal<Rehearsal> {
  const { refusal } = useCluster()
  const rehearsal = useSignal<Rehearsal>({ state: 'asking' })
  const newest = useRef(ask)
  newest.current = ask
  const isOff = refusal.value !== null
  useEffect(() => {
    if (isOff || version === null) return
    const stop = new AbortController()
    newest.current(stop.signal).then(
      (answer) => (rehearsal.value = rehearsalOf(answer)),
      (error: unknown) => {
        if (!stop.signal.aborted) rehearsal.value = { state: 'refused', ...refusalWords(error) }
      },
    )
    return () => stop.abort()
  }, [version, isOff, rehearsal])
  return rehearsal
}
