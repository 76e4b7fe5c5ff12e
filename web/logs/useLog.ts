import { useSignal, type ReadonlySignal, type Signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { TailItem } from '../../src/api/tails.ts'
import { useCluster } from '../lib/cluster.ts'
import type { TailState } from '../lib/tail.ts'
import { LogModel } from './logModel.ts'
import { newestLines, type LogQuery } from './logQuery.ts'

export interface Log {
  model: LogModel
  /** Steps whenever the model has changed, at most once a frame. */
  version: ReadonlySignal<number>
  state: ReadonlySignal<TailState>
  /** The end is shown and stays in view. Otherwise nothing is dropped under the reader's eyes: a full list takes no more. */
  isFollowing: Signal<boolean>
  /** Full and not followed: newer lines wait on their machines. */
  isHeld: ReadonlySignal<boolean>
}

const opening: TailState = { state: 'opening', code: null, reason: null }

/** The output that a query asks for, as it comes. */
export function useLog(query: LogQuery): Log {
  const { openTail } = useCluster()
  const model = useMemo(() => new LogModel(), [])
  const [version, isHeld] = [useSignal(0), useSignal(false)]
  const state = useSignal<TailState>(opening)
  // Lines from a time on are read from there; the newest ones are read at the end.
  const isFollowing = useSignal(query.since === null)
  useEffect(() => {
    let waiting: TailItem[] = []
    let frame = 0
    const take = (): void => {
      frame = 0
      model.add(waiting)
      waiting = []
      if (model.isFull && !isFollowing.peek()) {
        isHeld.value = true
        tail.pause()
      }
      version.value += 1
    }
    const { service, machine, instance, since } = query
    const wanted = { service, machine, instance, since, last: since === null ? newestLines : null }
    const tail = openTail(wanted, (items) => {
      waiting.push(...items)
      frame ||= requestAnimationFrame(take)
    })
    const stops = [
      tail.state.subscribe((now) => (state.value = now)),
      isFollowing.subscribe((isOn) => {
        if (!isOn) return
        isHeld.value = false
        tail.goOn()
      }),
    ]
    return () => {
      cancelAnimationFrame(frame)
      for (const stop of stops) stop()
      tail.close()
    }
  }, [model])
  return { model, version, state, isFollowing, isHeld }
}
