import type { State } from '../rollout/state.ts'

export interface FirewallState {
  /** The pairs of a caller and a service whose first refused connection the log records. */
  refusedCalls: Record<string, true>
}

export type FirewallWorld = State & FirewallState

export const pairOf = (from: string, to: string): string => `${from} > ${to}`
