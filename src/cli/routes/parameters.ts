import type { CliContext } from '../command.ts'
import { parseAt, parsePort, parsePosition, parseSize } from '../flagValues.ts'
import type { Known } from '../help/knownNames.ts'

export const word = (placeholder: string, brief: string) => ({ placeholder, brief, parse: String }) as const
/** The same parameter; the Tab key completes it with names of the cluster. */
export const known = <P extends object>(kind: Known, parameter: P) => ({
  ...parameter,
  async proposeCompletions(this: CliContext, partial: string): Promise<string[]> {
    return (await this.known(kind)).filter((name) => name.startsWith(partial))
  },
})
export const service = known('services', word('SERVICE', 'Name of a service'))
export const optionalService = { ...service, optional: true } as const
export const oneService = { kind: 'tuple', parameters: [service] } as const
export const maybeService = { kind: 'tuple', parameters: [optionalService] } as const
export const oneMachine = {
  kind: 'tuple',
  parameters: [known('machines', word('MACHINE', 'Name of a machine'))],
} as const
export const on = (brief: string) => ({ kind: 'boolean', brief, default: false, withNegated: false }) as const
export const text = (placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse: String, placeholder, brief, optional: true }) as const
export const needed = (placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse: String, placeholder, brief }) as const
export const port = (brief: string, preset: string) =>
  ({ kind: 'parsed', parse: parsePort, placeholder: 'PORT', brief, default: preset }) as const
/** A whole number, such as a version. */
export const number = (brief: string) =>
  ({ kind: 'parsed', parse: parsePosition, placeholder: 'N', brief, optional: true }) as const
export const size = (brief: string) =>
  ({ kind: 'parsed', parse: parseSize, placeholder: 'SIZE', brief, optional: true }) as const
export const allowOutage = on('Allow a replace that leaves no ready instance for a while; requests wait up to 30 s')
export const at = {
  kind: 'parsed',
  parse: parseAt,
  placeholder: 'WHEN',
  brief: 'Show the past: a position of the event log, a duration ago (10m, 2h), or a date (2026-11-21T02:00:00Z)',
  optional: true,
} as const
export const started = {
  kind: 'boolean',
  default: true,
  brief: 'Install and start the systemd unit (--no-start: only create the files that the unit needs)',
} as const
