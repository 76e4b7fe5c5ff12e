import type { MachineSettings } from '../definitions/machineSettings.ts'
import { joinedPorts } from '../layout/ports.ts'

interface ListenOptions {
  /** Address at which other machines reach this machine. */
  host: string
  httpPort: number
  /** 0: choose a port and keep it. */
  forwardPort: number
  metricsPort: number
}

/** The cluster file's settings for a machine that has joined take precedence over the command line. */
export function withSettings<T extends ListenOptions>(options: T, settings: MachineSettings | null): T {
  if (!settings) return options
  const { address, entry } = settings
  const forwardPort = options.forwardPort || joinedPorts.forward
  const metricsPort = options.metricsPort || joinedPorts.metrics
  return { ...options, host: address, httpPort: entry.http, forwardPort, metricsPort }
}
