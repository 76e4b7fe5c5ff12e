import type { RolloutView } from '../../src/api/views.ts'
import type { Laptop } from './laptop.ts'
import type { LoadResult, LongConnection } from './load.ts'

/** The last line of push, deploy, rollback and restart. */
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
  /** More lines of the definition. */
  more?: string
  /** Milliseconds. */
  drain?: number
}

export const drainMs = 1_500

/** A web service whose answers say `version`. */
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

export async function pushWeb(laptop: Laptop, text: ServiceText): Promise<Pushed> {
  return laptop.json<Pushed>('push', laptop.service(text.name, web(text)))
}

export async function pushLine(laptop: Laptop, text: ServiceText): Promise<Pushed> {
  return laptop.json<Pushed>('push', laptop.service(text.name, line(text), 'line.mjs'))
}

/** Failures in words, for an assertion that says what went wrong. */
export const failuresOf = ({ failures }: LoadResult): string[] =>
  failures.map(({ what, entry, why, at }) => `${new Date(at).toISOString()} ${what} at ${entry}: ${why}`)

/** Between an instance's end and its client's notice of it. */
const lateMs = 3_000

/**
 * Long connections that ended earlier than they may: in a rollout, those that were open when a machine switched must
 * live until its drain deadline (a controller that was killed counts it afresh), and end with the service's own goodbye.
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
      // Some machine's drain began `drain` before: its deadline is what ended it.
      const atDeadline = drains.some(({ from, to }) => endedAt >= from + drain - 50 && endedAt <= to + lateMs)
      return !goodbye || !atDeadline
    })
    .map(
      ({ what, entry, openedAt, endedAt, goodbye }) =>
        `${what} at ${entry} lived ${endedAt - openedAt} ms, goodbye: ${goodbye}`,
    )
}
