import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { readNdjson } from '../../lib/ndjson.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { answerSchema } from '../../protocol/ask.ts'
import { changesQuery } from '../../protocol/desiredChange.ts'
import type { AgentLinks, Link } from '../agentLinks.ts'
import type { Asks } from '../asks.ts'
import type { Channels } from '../channels.ts'
import { reportChangeSchema, type ReportChange } from '../../protocol/reportChange.ts'
import { bytesOf } from './bytesOf.ts'
import { ownMachine } from './callers.ts'
import { EventStream } from './eventStream.ts'
import type { Rooms } from '../handlers.ts'

const changesSchema = z.object({ changes: z.literal(changesQuery.changes) })

/** The calls for agents only, besides the operations of the contract. */
export function addAgentCalls(
  api: FastifyInstance,
  { callers, controller }: Rooms,
  links: AgentLinks,
  { asks, channels }: { asks: Asks; channels: Channels },
): void {
  const hidden = { schema: { hide: true } }
  const onRequest = async (request: FastifyRequest): Promise<void> => void callers.identify(request, 'agent')
  api.get('/agent/stream', { ...hidden, onRequest }, async (request, reply) => {
    const { machine } = callers.watch(request, 'agent', reply.raw)
    if (machine === null) throw new OperatorError('E_FORBIDDEN', 'the token speaks for no machine')
    const stream = new EventStream(request, reply, controller.clock)
    const link: Link = {
      takesChanges: changesSchema.safeParse(request.query).success,
      send: ({ event, data }) => stream.write({ event, data: JSON.stringify(data) }),
      end: () => stream.end(),
    }
    stream.signal.addEventListener('abort', links.connect(machine, link))
    return reply
  })
  const changeSchema = { ...hidden.schema, body: reportChangeSchema }
  api.post<{ Body: ReportChange }>('/agent/report-changes', { schema: changeSchema, onRequest }, async (request) => {
    ownMachine(callers.identify(request, 'agent'), request.body.machine)
    return { taken: await controller.reportChange(request.body) }
  })
  api.post<{ Params: { id: string } }>(
    '/agent/answers/:id',
    { ...hidden, onRequest, bodyLimit: Number.MAX_SAFE_INTEGER },
    async (request, reply) => {
      const { id } = request.params
      const bytes = bytesOf(request, 'application/x-ndjson')
      const { machine } = callers.identify(request, 'agent')
      const timed = channels.refuse(id, machine) ? null : asks.begin(id, machine)
      const wanted = timed !== null && (await asks.answer(id, readNdjson(timed(bytes), answerSchema)))
      if (!wanted) reply.raw.once('finish', () => request.raw.destroy())
      return { wanted }
    },
  )
}
