import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Parsed, StreamName, Streams } from '../../api/contract.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Answer } from '../../protocol/ask.ts'
import type { Asks } from '../asks.ts'
import { beyondLog } from '../beyondLog.ts'
import type { Controller } from '../controller.ts'
import { findRollout } from '../findRollout.ts'
import { worded } from '../../decider/wordingOf.ts'
import { wantedBy } from '../findEvents.ts'
import type { Rooms } from '../handlers.ts'
import { streamOverview } from '../overview/streams.ts'
import { refuseUnknownMachine } from '../../fleet/decideMachine.ts'
import { unlessRefused } from '../refusalError.ts'
import { askedAgain, asTheyCome, inOrderOfTime, pipeAnswers, unreachableSaid } from './answerStreams.ts'
import type { KnownCaller } from './callers.ts'
import { askCheckup, sendAsMade } from './checkups.ts'
import { EventStream } from './eventStream.ts'
import { meantInstance } from './meantInstance.ts'

/** Number of events read at a time while a reader catches up. */
const page = 200

type StreamHandlers = {
  [N in StreamName]: (
    input: Parsed<Streams[N]>,
    request: FastifyRequest,
    reply: FastifyReply,
    caller: KnownCaller,
  ) => Promise<void>
}

export function streamHandlers({ controller, examine, ...rooms }: Rooms, asks: Asks): StreamHandlers {
  return {
    live: (_, request, reply, caller) => streamOverview({ controller, ...rooms }, caller, request, reply),
    events: async ({ query }, request, reply) => {
      const after = resumeAfter(request.headers['last-event-id']) ?? query.after
      const { position } = controller.state
      if (after > position) throw beyondLog(after, position)
      await streamEvents(controller, new EventStream(request, reply, controller.clock), { ...query, after })
    },
    watchRollout: async ({ params }, request, reply) => {
      const { id } = findRollout(controller.history, params.id)
      watchRollout(controller, new EventStream(request, reply, controller.clock), id)
    },
    logs: async ({ query }, request, reply) => {
      const { service, follow } = query
      const [since, last] = [query.since ?? null, query.last ?? null]
      const machines = query.machine ? [query.machine] : Object.keys(controller.state.machines)
      unlessRefused(refuseUnknownMachine(controller.state, machines))
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      const asked = { service, machines, signal: gone.signal }
      const instance = query.instance
        ? await meantInstance(controller, asks, { ...asked, instance: query.instance })
        : null
      const stream = new EventStream(request, reply, controller.clock)
      const begun = new Date(controller.now()).toISOString()
      const answers = machines.map((machine) => {
        const lines = (from: { since: string | null; last: number | null }): AsyncIterable<Answer> => {
          const ask = { kind: 'logs', id: controller.newId(), service, instance, ...from, follow } as const
          return unreachableSaid(asks.ask(machine, ask, stream.signal), machine)
        }
        const first = lines({ since, last })
        const again = (newest: string | null): AsyncIterable<Answer> =>
          lines({ since: newest ?? since ?? begun, last: null })
        // The stream of a single machine ends with its answer: the reader decides how long to wait before it asks
        // again.
        return follow && machines.length > 1 ? askedAgain(first, again, stream.signal, controller.clock) : first
      })
      await pipeAnswers(follow ? asTheyCome(answers) : inOrderOfTime(answers, last), stream)
    },
    checkups: async ({ query }, request, reply) => {
      const machines = query.machine ? [query.machine] : Object.keys(controller.state.machines)
      unlessRefused(refuseUnknownMachine(controller.state, machines))
      const stream = new EventStream(request, reply, controller.clock)
      const own = query.machine ? [] : [examine()]
      const made = [...own, ...machines.map((machine) => askCheckup(controller, asks, machine, stream.signal))]
      await sendAsMade(made, stream)
    },
  }
}

function resumeAfter(lastEventId: string | string[] | undefined): number | null {
  if (lastEventId === undefined) return null
  const position = Number(lastEventId)
  if (Number.isSafeInteger(position) && position >= 0) return position
  throw new OperatorError('E_USAGE', 'Last-Event-ID is not a position of the event log', { subject: 'Last-Event-ID' })
}

async function streamEvents(
  controller: Controller,
  stream: EventStream,
  query: Parsed<Streams['events']>['query'],
): Promise<void> {
  let { after } = query
  const isWanted = wantedBy(controller, query)
  let changed = Promise.withResolvers<void>()
  const stop = controller.onChange(() => changed.resolve())
  stream.signal.addEventListener('abort', () => changed.resolve())
  try {
    while (!stream.signal.aborted) {
      const events = await controller.log.read(after, page)
      for (const event of events) {
        if (isWanted(event)) stream.write({ id: String(event.position), data: JSON.stringify(worded(event)) })
        after = event.position
      }
      await stream.room()
      if (events.length > 0) continue
      if (!query.follow) break
      await changed.promise
      changed = Promise.withResolvers()
    }
  } finally {
    stop()
    stream.end()
  }
}

/** Sends the rollout at each change; the last message shows the rollout finished. */
function watchRollout(controller: Controller, stream: EventStream, id: string): void {
  let last = ''
  const send = (): void => {
    const rollout = controller.history.get(id)
    const data = JSON.stringify(rollout ?? null)
    if (data !== last) stream.write({ id: String(controller.state.position), data })
    last = data
    if (!rollout || rollout.finishedAt !== null) {
      stop()
      stream.end()
    }
  }
  const stop = controller.onChange(send)
  stream.signal.addEventListener('abort', stop)
  send()
}
