import type { ClusterDefinition } from '../definitions/cluster.ts'

export type FleetCommand =
  | { type: 'DrainMachine'; machine: string; force: boolean; stop?: boolean }
  | { type: 'ReadyMachine'; machine: string }
  | { type: 'ApplyCluster'; cluster: ClusterDefinition; force: boolean }
