import type { Logger } from 'pino'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Endpoints, Report, ReportSlices } from '../protocol/report.ts'
import { laterPaths } from '../definitions/keyPaths.ts'
import { abilityNames } from '../protocol/slices.ts'
import { acceptDesired } from './acceptDesired.ts'
import { seenOf, type AgentDisk } from './agentDisk.ts'
import { shortened } from './agentReport.ts'
import type { OwnFeatures } from './features.ts'
import type { LateWrites } from './lateWrites.ts'
import type { LocalInstance } from './localInstance.ts'
import type { MachineFeature } from './machineFeature.ts'
import type { Problems } from './problems.ts'

export interface AgentParts {
  machine: string
  version: string
  boot: number
  endpoints: () => Endpoints
  own: Pick<OwnFeatures, 'services' | 'fetching'>
  /** In the order in which they take a desired state. */
  features: readonly MachineFeature[]
  disk: AgentDisk
  /** Problems of this agent; its features add theirs too. */
  problems: Problems
  lateWrites: LateWrites
  logger: Logger
}

/**
 * Brings this machine to the desired state, repeatedly, and reports what it observes. This is the envelope: which
 * controller it obeys, and what it obeyed last, on disk. The features do the work (features.ts).
 */
export class Agent {
  /** Called whenever the next report would contain something new. */
  onChange: () => void = () => {}
  #parts: AgentParts
  #features: readonly MachineFeature[]
  #desired: DesiredState | null
  /** Received from the controller, not yet obeyed because writing it to disk failed. */
  #unwritten: DesiredState | null = null
  #refused: Report['refused'] = null
  #boot: number
  /** The controller has taken a report of this process. */
  #isTaken = false
  #seq = 0
  #isClosing = false

  constructor(parts: AgentParts) {
    this.#parts = parts
    this.#boot = parts.boot
    this.#features = parts.features
    this.#desired = parts.disk.readDesired()
  }

  /** Takes over from an earlier agent, then restores what this machine last ran, even without a controller. */
  async start(): Promise<void> {
    for (const feature of this.#features) await feature.start?.()
    const desired = this.#desired
    if (!desired) return
    for (const feature of this.#features) feature.want(desired, true)
    for (const feature of this.#features) await feature.settled?.()
  }

  /** The controller has spoken; `of`: what it sent. */
  heard(of: 'desired state' | 'answer'): void {
    for (const feature of this.#features) feature.heard?.(of)
  }

  /**
   * The controller has answered a report. If it knows a later report of this machine and has never taken one of this
   * process, then the disk was lost or is full, and the clock is behind: this start takes a number after the known one.
   * Otherwise another agent reports under this name since then.
   */
  answered(laterBoot: number | null): void {
    if (laterBoot === null) {
      this.#isTaken = true
      return this.heard('answer')
    }
    if (this.#isTaken) return
    const boot = laterBoot + 1
    this.#boot = boot
    const { disk, lateWrites, logger } = this.#parts
    lateWrites.write('the start number of the agent', () => disk.writeBoot(boot))
    logger.warn(
      { boot },
      'the controller knows a later report of this machine; the agent continues with a number after it',
    )
    this.onChange()
  }

  /** Takes a desired state from the controller: obeys it, or records why it was refused. */
  accept(desired: DesiredState): void {
    if (this.#isClosing) return
    const refusal = this.#refusal(desired)
    if (refusal !== null) {
      if (this.#refused === null) this.#parts.logger.warn(refusal)
      this.#refused = { code: 'E_LOG_BEHIND', message: shortened(refusal) }
      this.#unwritten = null
      return this.onChange()
    }
    this.#refused = null
    this.#unwritten = desired
    this.#obey()
    this.onChange()
  }

  report(): Report {
    const { machine, version, endpoints } = this.#parts
    // The table of features (src/machine/features.ts) is compared with the slices of a report.
    const lacking = this.#features.flatMap((feature) => feature.lacks?.() ?? [])
    const slices: ReportSlices = Object.assign({}, ...this.#features.map((feature) => feature.report()))
    return {
      ...{ machine, boot: this.#boot, version, seq: ++this.#seq, endpoints: endpoints() },
      abilities: abilityNames.filter((name) => !lacking.includes(name)),
      definitionKeys: [...laterPaths],
      seen: seenOf(this.#desired),
      refused: this.#refused,
      applied: Object.assign(
        { supervisor: 0, balancer: 0, address: 0 },
        ...this.#features.map((feature) => feature.applied?.()),
      ),
      ...slices,
      problems: this.problems(),
      held: this.#refused ? this.#desired : null,
    }
  }

  /** Problems on this machine, in words. */
  problems(): string[] {
    const own = this.#features.flatMap((feature) => feature.problems?.() ?? [])
    return [...this.#parts.problems.list(), ...own].map(shortened)
  }

  /** Why the agent refuses the controller's desired state; `null` if it obeys. */
  get refused(): Report['refused'] {
    return this.#refused
  }

  get desired(): DesiredState | null {
    return this.#desired
  }

  get instances(): ReadonlyMap<string, LocalInstance> {
    return this.#parts.own.services.all
  }

  /** Retries failed operations. Called with each heartbeat. */
  retry(): void {
    if (this.#isClosing) return
    const { lateWrites, disk } = this.#parts
    lateWrites.retry()
    this.#obey()
    lateWrites.write('the desired state', () => disk.mergeDesired())
    for (const feature of this.#features) feature.retry?.(this.#desired)
  }

  /** Removes releases that nothing needs any more from the cache. Never rejects. */
  collect(): Promise<void> {
    return this.#parts.own.fetching.collect()
  }

  /** Ends everything that does not outlive the agent. A failure in one part does not keep the others from ending. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#parts.lateWrites.write('the desired state', () => this.#parts.disk.mergeDesired())
    for (const feature of this.#features) feature.stop?.()
    const ends = await Promise.allSettled(this.#features.map(async (feature) => feature.close?.()))
    const errors = ends.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    if (errors.length > 0) throw new AggregateError(errors, 'the agent could not stop everything')
  }

  #refusal(desired: DesiredState): string | null {
    const { machine } = this.#parts
    if (desired.machine !== machine)
      return `the desired state is meant for machine ${desired.machine}, but this machine is ${machine}`
    const acceptance = acceptDesired(seenOf(this.#desired), desired)
    return acceptance.accepted ? null : acceptance.message
  }

  /**
   * Writes the state to disk before it obeys: a restarted agent must know what it obeyed, or it could obey an older
   * controller.
   */
  #obey(): void {
    const desired = this.#unwritten
    if (!desired) return
    try {
      this.#parts.disk.writeDesired(desired)
    } catch (error) {
      return this.#parts.problems.add('disk', error)
    }
    this.#parts.problems.solved('disk')
    this.#unwritten = null
    this.#desired = desired
    for (const feature of this.#features) feature.want(desired, false)
  }
}
