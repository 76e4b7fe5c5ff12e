import type { Definition } from '../definitions/definition.ts'
import type { Clock } from '../lib/clock.ts'
import { closedPortReason } from './closedPort.ts'
import { isFree } from './ports.ts'
import { probe, type ProbeResult } from './probe.ts'

/** The ports of this machine at which instances listen. */
export interface Loopback {
  /** Sends one probe to an instance; never rejects. */
  probe: (definition: Definition, port: number, signal: AbortSignal, clock: Clock) => Promise<ProbeResult>
  /** Explains why a connection to a port was refused. */
  closedPortReason: (port: number) => Promise<string>
  /** Whether a process could listen on a port now. */
  isFree: (port: number) => Promise<boolean>
}

export const loopback: Loopback = { probe, closedPortReason, isFree }
