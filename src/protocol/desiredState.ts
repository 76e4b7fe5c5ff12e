import type { Definition } from '../definitions/definition.ts'

/**
 * What one machine should be running and routing now. It is always sent whole, never as a difference, so that a lost,
 * repeated or reordered message cannot leave a machine half-way.
 */
export interface DesiredState extends MachineDesire {
  cluster: string
  /** The leadership that sends this, and the ones before it: how an agent tells a restored or forked log. */
  term: number
  terms: TermRecord[]
  /** The log position this state was folded at. */
  position: number
}

/** The part of the desired state that the rollout room decides. */
export interface MachineDesire {
  machine: string
  /** Releases to have fetched and verified, whether they run yet or not. */
  fetch: string[]
  /** Releases that collection must leave alone. */
  keep: string[]
  /** Definitions, overlays applied, of every release named below; by release id. */
  definitions: Record<string, Definition>
  instances: DesiredInstance[]
  routes: DesiredRoute[]
  /** The other machines and how to reach their balancers. */
  peers: DesiredPeer[]
  /** One-off `prepare` commands this machine must run, each once. */
  prepare: { rollout: string; service: string; release: string }[]
  /** Services whose data folder should be gone. */
  removedData: string[]
  /** Out of traffic: this machine's own instances take no new work. */
  drained: boolean
}

export interface DesiredInstance {
  id: string
  service: string
  release: string
  slot: number
  /** The rollout whose outcome this instance belongs to: tells a restarted copy of a release from the one before. */
  generation: string
  /** `active` takes new work once it is ready; `idle` runs without traffic (not yet switched, or draining). */
  traffic: 'active' | 'idle'
}

export interface DesiredRoute {
  service: string
  match: { kind: 'http'; host: string | null; path: string } | { kind: 'tcp'; port: number }
  /** Only instances of these releases may serve it: each route leads only to releases that declare it. */
  releases: string[]
  /** Machines whose balancers may be forwarded to. */
  forwardTo: string[]
  holdMs: number | null
  idleMs: number | null
  bodyBytes: number | null
}

export interface DesiredPeer {
  machine: string
  host: string
  forwardPort: number
}

export interface TermRecord {
  term: number
  /** Random: two leaderships with the same number and different ids are a fork. */
  id: string
  /** The log position at which this leadership began. */
  start: number
  /** A person ran `tandem controller recover`: machines may accept it although their last term is not its ancestor. */
  recovered: boolean
}
