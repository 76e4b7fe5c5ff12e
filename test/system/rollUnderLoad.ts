import type { RolloutView } from '../../src/api/views.ts'
import type { CommandLine } from './commandLine.ts'
import type { LoadResult, LongConnection } from './load.ts'

/** The last line of output of push, deploy, rollback and restart. */
export interface Pushed {
  service: string
  release: string
  previous: string | null
  rollout: RolloutView | null
  exit: number
}

export interface ServiceText {
  name: string
  version: string
  /** Additional lines of the definition. */
  more?: string
  /** Drain time in milliseconds. */
  drain?: number
}

export const drainMs = 1_500

/** Definition of a web service whose answers contain `version`. */
export const web = ({ name, version, more = '', drain = drainMs }: ServiceText): string =>
  `service: ${name}
run: [node, web.mjs]
env: { VERSION: "${version}" }
rollout: { drain: ${drain}ms }
stop: { within: 2s }
${more}`

export const line = ({ name, version, more = '', drain = drainMs }: ServiceText): string =>
  `service: ${name}
run: [node, line.mjs]
listen: tcp
env: { VERSION: "${version}" }
rollout: { drain: ${drain}ms }
stop: { within: 2s }
${more}`

export async function pushWeb(laptop: CommandLine, text: ServiceText): Promise<Pushed> {
  return laptop.json<Pushed>('push', laptop.service(text.name, web(text)))
}

export async function pushLine(laptop: CommandLine, text: ServiceText): Promise<Pushed> {
  return laptop.json<Pushed>('push', laptop.service(text.name, line(text), 'line.mjs'))
}

/** Describes failures, for the message of an assertion. */
export const failuresOf = ({ failures }: LoadResult): string[] =>
  failures.map(({ what, entry, why, at }) => `${new Date(at).toISOString()} ${what} at ${entry}: ${why}`)

/** Tolerance between the end of an instance and its client's notice of it. */
const lateMs = 3_000

/**
 * Long connections that ended too early. In a rollout, connections that were open when a machine switched must stay
 * open until its drain deadline (which starts again if the controller is killed), and end with the service's own
 * goodbye.
 */
export function endedEarly(long: LongConnection[], rollouts: RolloutView[], drain: number): string[] {
  const drains = rollouts.flatMap(({ machines }) =>
    machines.flatMap(({ phases }) =>
      phases
        .filter(({ phase }) => phase === 'drain')
        .map(({ startedAt, finishedAt }) => ({
          from: Date.parse(startedAt),
          to: finishedAt === null ? Infinity : Date.parse(finishedAt),
        })),
    ),
  )
  return long
    .filter(({ endedAt, goodbye }) => {
      // The drain of a machine began `drain` earlier, so its deadline ended the connection.
      const atDeadline = drains.some(({ from, to }) => endedAt >= from + drain - 50 && endedAt <= to + lateMs)
      return !goodbye || !atDeadline
    })
    .map(
      ({ what, entry, openedAt, endedAt, goodbye }) =>
        `${what} at ${entry} lived ${endedAt - openedAt} ms, goodbye: ${goodbye}`,
    )
}
