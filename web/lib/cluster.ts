import type { ReadonlySignal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Result, Operations } from '../../src/api/contract.ts'
import type { Overview } from '../../src/api/overview.ts'
import type { Api } from './api.ts'
import type { TailItem } from '../../src/api/tails.ts'
import type { Contact } from './live.ts'
import type { OpenTail, TailQuery } from './tail.ts'

export type Me = Result<Operations['session']>

/** A moment of the past: the state after the event at `position`. */
export interface Moment {
  position: number
  /** ms since 1970. */
  at: number
}

/** The parts of a cluster that every page may use. */
export interface Cluster {
  api: Api
  /** The newest overview; `null` until the first one has come. */
  overview: ReadonlySignal<Overview | null>
  contact: ReadonlySignal<Contact>
  /** The present time by the controller's clock, ms since 1970; steps once a second while the page is seen. */
  now: ReadonlySignal<number>
  /** Who is signed in; `null`: not known yet. */
  me: ReadonlySignal<Me | null>
  /** Follows output, on the stream that the tabs of this browser share, until it is closed. */
  openTail: (query: TailQuery, heard: (items: TailItem[]) => void) => OpenTail
  /** Why nothing can be changed now, as a sentence; `null`: the controller decides about each action. */
  refusal: ReadonlySignal<string | null>
  /** Everything above is as it was then; `null`: as it is now. */
  past: Moment | null
}

export const ClusterContext = createContext<Cluster | null>(null)

export function useCluster(): Cluster {
  const cluster = useContext(ClusterContext)
  if (cluster === null) throw new TypeError('this component is outside of a cluster')
  return cluster
}
