import type { DesiredState } from '../protocol/desiredState.ts'
import type { Answer, Ask, UnknownAsk } from '../protocol/ask.ts'
import type { Applied } from '../protocol/report.ts'

/**
 * A part of an agent that carries out its slice of the desired state and reports its slice of the report. The agent
 * passes it every state that it obeys; a part that fails keeps a problem and tries again at the next heartbeat. No
 * method throws or rejects, except `start` and `close`.
 */
export interface MachineFeature<Slice extends object = object> {
  /** Called once, before the first `want`: takes over from an agent that ran before. */
  start?: () => Promise<void>
  /**
   * Carries out this state; called again and again, also with the same state. `isRestored`: the state was read from disk
   * at the start, and the controller may want something else by now.
   */
  want: (desired: DesiredState, isRestored: boolean) => void
  /** Resolves once everything that `start` took over is known. */
  settled?: () => Promise<void>
  report: () => Slice
  /** The log positions up to which its drivers have applied everything. */
  applied?: () => Partial<Applied>
  /** The controller has spoken, so its last desired state is still valid. `of`: what it sent. */
  heard?: (of: 'desired state' | 'answer') => void
  /** Called with each heartbeat; `desired` is `null` before the first one. */
  retry?: (desired: DesiredState | null) => void
  /** Abilities that this machine lacks, although its version has them. */
  lacks?: () => readonly string[]
  /** Answers a question of the controller; `null`: the question is for another part. Rejects if it cannot. */
  answer?: (ask: Ask | UnknownAsk, signal: AbortSignal) => Promise<Answer> | null
  /** In words. */
  problems?: () => string[]
  /** Gives up at once what nobody waits for. Called on every feature before the first `close`. */
  stop?: () => void
  /** Ends everything that does not outlive the agent. */
  close?: () => Promise<void>
}
