import type { Clock } from '../../lib/clock.ts'
import type { ConnectionGate } from './connectionGate.ts'
import type { Ejector } from './ejector.ts'
import type { Holder } from './holder.ts'
import type { BalancerLimits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import type { PassedWork } from './passedWork.ts'
import type { RoutingTable } from './routingTable.ts'

/** Services that all work in one balancer shares. */
export interface BalancerServices {
  machine: string
  clock: Clock
  limits: BalancerLimits
  table: RoutingTable
  holder: Holder
  ejector: Ejector
  metrics: Metrics
  passed: PassedWork
  gate: ConnectionGate
}
