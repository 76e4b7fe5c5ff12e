import { shellWord } from '../lib/shellWord.ts'

/** The output that the address asks for. */
export interface LogQuery {
  service: string
  machine: string | null
  instance: string | null
  /** ISO 8601; `null`: the newest lines. */
  since: string | null
}

/** Lines of each machine that are read at first when no time is given. */
export const newestLines = 1_000

export const logQuery = (service: string, query: URLSearchParams): LogQuery => ({
  service,
  machine: query.get('machine'),
  instance: query.get('instance'),
  since: sinceOf(query.get('since')),
})

function sinceOf(text: string | null): string | null {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? null : new Date(ms).toISOString()
}

/** The command that shows the same. */
export function logCommand({ service, machine, instance, since }: LogQuery): string {
  const flags = [
    ...(machine === null ? [] : [`--machine ${shellWord(machine)}`]),
    ...(instance === null ? [] : [`--instance ${shellWord(instance)}`]),
    since === null ? `--last ${newestLines}` : `--since ${since}`,
  ]
  return ['tandem logs', shellWord(service), ...flags, '--follow'].join(' ')
}

/** The heading: which output this is. */
export function logTitle({ service, machine, instance }: LogQuery): string {
  const on = machine === null ? '' : ` on ${machine}`
  return `Logs of ${instance ?? service}${on}`
}

/** The part of an instance's id that tells it from others of its service. */
export const shortInstance = (instance: string, service: string): string =>
  instance.startsWith(`${service}-`) ? instance.slice(service.length + 1) : instance
