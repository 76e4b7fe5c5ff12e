import { useSignal, type ReadonlySignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { RolloutNumbers } from '../../src/api/numbers.ts'
import type { EventView, RolloutView } from '../../src/api/views.ts'
import { Refused } from '../lib/api.ts'
import { useCluster } from '../lib/cluster.ts'
import { eventsAfter } from './rolloutEvents.ts'

/** Most events of a rollout that the page reads at a time. */
const mostEvents = 1_000

export interface Watched {
  /** `null`: it was not read yet. */
  rollout: RolloutView | null
  /** In the order of the log. */
  events: readonly EventView[]
  /** Why it cannot be shown, in words. */
  problem: string | null
}

/** A rollout from the live model while it runs, else from the history, with its events. */
export function useRollout(id: string): Watched {
  const { api, overview, contact } = useCluster()
  const read = useSignal<RolloutView | null>(null)
  const problem = useSignal<string | null>(null)
  const running = overview.value?.services.find(({ rollout }) => rollout?.id === id)?.rollout ?? null
  const isLive = contact.value.state === 'live'
  // A rollout may end before the live model has shown it: it is read again until its end is known.
  const isKnown = read.value?.id.startsWith(id) === true && read.value.finishedAt !== null
  const position = isKnown ? 0 : overview.value?.controller.position
  useEffect(() => {
    if (running !== null || !isLive) return
    const stop = new AbortController()
    api.call('rollout', { params: { id } }, stop.signal).then(
      (answer) => {
        read.value = answer
        problem.value = null
      },
      (error: unknown) => {
        if (!stop.signal.aborted && error instanceof Refused) problem.value = error.message
      },
    )
    return () => stop.abort()
  }, [api, id, running === null, isLive, position, problem, read])
  useEffect(() => {
    // The last state that was seen stays until the history answers.
    if (running !== null) read.value = running
  }, [running, read])
  const rollout = running ?? (read.value?.id.startsWith(id) ? read.value : null)
  const events = useEvents(rollout)
  return { rollout, events, problem: rollout === null ? problem.value : null }
}

/** Changes with each change of the rollout. */
const versionOf = ({ id, state, machines }: RolloutView): string =>
  JSON.stringify([id, state, machines.map((one) => [one.state, one.phases.length, one.phases.at(-1)?.finishedAt])])

function useEvents(rollout: RolloutView | null): readonly EventView[] {
  const { api } = useCluster()
  const events = useSignal<{ id: string; all: EventView[] }>({ id: '', all: [] })
  const version = rollout === null ? null : versionOf(rollout)
  const [id, finishedAt] = [rollout?.id ?? null, rollout?.finishedAt ?? null]
  useEffect(() => {
    if (id === null) return
    const stop = new AbortController()
    const end = async (): Promise<number | null> => {
      if (finishedAt === null) return null
      const given = { params: { id }, query: { at: finishedAt } }
      // Within the past, this call is refused.
      return api.call('pastRollout', given, stop.signal).then(
        ({ asOf }) => asOf.position,
        () => null,
      )
    }
    const known = events.peek().id === id ? events.peek().all : []
    eventsAfter(known, {
      find: (range) => api.call('findEvents', { query: { rollout: id, limit: mostEvents, ...range } }, stop.signal),
      end,
    }).then(
      (all) => (events.value = { id, all }),
      () => {}, // the next change asks again; without events the phases are shown alone
    )
    return () => stop.abort()
  }, [api, id, version, finishedAt, events])
  return events.value.id === id ? events.value.all : []
}

/** The numbers that were recorded while a rollout ran; `null`: not read, or not to be read. */
export function useRecord(id: string | null, isWanted: boolean): ReadonlySignal<RolloutNumbers | null> {
  const { api } = useCluster()
  const record = useSignal<RolloutNumbers | null>(null)
  useEffect(() => {
    record.value = null
    if (id === null || !isWanted) return
    const stop = new AbortController()
    api.call('rolloutNumbers', { params: { id } }, stop.signal).then(
      (answer) => (record.value = answer),
      () => {}, // without a record the charts show what the last 15 minutes hold
    )
    return () => stop.abort()
  }, [api, id, isWanted, record])
  return record
}
