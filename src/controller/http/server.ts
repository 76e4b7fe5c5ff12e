import type { SecureContextOptions, TlsOptions } from 'node:tls'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import { z } from 'zod'
import { basePath, operations, streams, type Operation } from '../../api/contract.ts'
import { readNdjson } from '../../lib/ndjson.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { answerSchema } from '../../protocol/ask.ts'
import { framesContentType } from '../../releases/objectFrames.ts'
import { AgentLinks } from '../agentLinks.ts'
import { Asks } from '../asks.ts'
import { Channels } from '../channels.ts'
import { controllerMetrics } from '../metrics.ts'
import { bearer } from './callers.ts'
import { takeChannels, wantsChannel } from './channelUpgrades.ts'
import { EventStream } from './eventStream.ts'
import { operationHandlers, type Caller, type Rooms } from './operationHandlers.ts'
import { asOperatorError, notFound, refuseGarbage, sendProblem } from './problems.ts'
import { streamHandlers } from './streamHandlers.ts'

const maxJsonBytes = 8 * 1024 * 1024

/** As Node's `https.createServer` takes them. */
type Https = SecureContextOptions & TlsOptions

interface BuiltServer {
  server: FastifyInstance
  links: AgentLinks
  channels: Channels
}

/** The controller's HTTP: the contract's calls and streams, object transfers, the agents' streams, health and metrics. */
export async function buildServer(rooms: Rooms, logger: Logger, https: Https | null = null): Promise<BuiltServer> {
  const server = fastify({
    // Fastify types its options by the kind of server, and hands these on to Node as they are.
    ...(https
      ? { https: { ...https, shouldUpgradeCallback: wantsChannel } }
      : { http: { shouldUpgradeCallback: wantsChannel } }),
    bodyLimit: maxJsonBytes,
    forceCloseConnections: true,
    // A HEAD of a stream would never end.
    exposeHeadRoutes: false,
    // Streams and uploads last as long as they last; headers have Node's own limit.
    requestTimeout: 0,
    keepAliveTimeout: 60_000,
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (error, request, reply) => void sendProblem(asOperatorError(error, request, logger), reply),
    clientErrorHandler: refuseGarbage,
  })
  server.setValidatorCompiler(validatorCompiler)
  server.setSerializerCompiler(serializerCompiler)
  server.setErrorHandler((error, request, reply) => sendProblem(asOperatorError(error, request, logger), reply))
  server.setNotFoundHandler((request, reply) => sendProblem(notFound(request), reply))
  server.addContentTypeParser([framesContentType, 'application/x-ndjson'], (_request, body, done) => done(null, body))
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Tandem', version: '1', description: 'The controller: publish, roll, look. Bearer tokens.' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
    transform: jsonSchemaTransform,
  })
  const links = new AgentLinks(rooms.controller)
  const asks = new Asks((machine, ask) => links.ask(machine, ask))
  const channels = new Channels((machine, ask) => links.ask(machine, ask))
  takeChannels(server.server, channels, rooms.callers, logger)
  await server.register(
    async (api) => {
      addOperations(api, rooms, channels)
      addStreams(api, rooms, asks)
      addObjects(api, rooms, logger)
      addAgentCalls(api, rooms, links, { asks, channels })
      api.get('/openapi.json', { schema: { hide: true } }, () => server.swagger())
    },
    { prefix: basePath },
  )
  server.get('/healthz', { schema: { hide: true } }, (_request, reply) => {
    const { unwritable } = rooms.controller
    return reply.status(unwritable ? 503 : 200).send({ ok: !unwritable, problem: unwritable?.message ?? null })
  })
  server.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    if (!isLoopback(request)) rooms.callers.identify(request, 'reader')
    const { contentType, text } = await controllerMetrics(rooms.controller, links.connected())
    return reply.type(contentType).send(text)
  })
  return { server, links, channels }
}

function addOperations(api: FastifyInstance, rooms: Rooms, channels: Channels): void {
  const { callers, membership } = rooms
  const handlers = operationHandlers(rooms, channels)
  const callerOf = (request: FastifyRequest, role: Operation['role']): Caller =>
    role === 'joiner'
      ? { role: 'joiner', machine: null, name: 'a machine that joins', token: membership.mayJoin(bearer(request)) }
      : callers.identify(request, role)
  for (const name of Object.keys(operations) as (keyof typeof operations)[]) {
    const operation: Operation = operations[name]
    const { method, path: url, role, summary, params, query, body, response } = operation
    api.route({
      method,
      url,
      // Before the body is parsed: strangers do not get to make us work.
      onRequest: async (request) => void callerOf(request, role),
      schema: {
        ...{ summary, operationId: name, security: [{ bearer: [] }] },
        ...(params ? { params } : {}),
        ...(query ? { querystring: query } : {}),
        ...(body ? { body } : {}),
        response: { 200: response },
      },
      handler: async (request) => {
        const caller = callerOf(request, role)
        const input = { params: request.params, query: request.query, body: request.body }
        const { atLeast } = (request.query ?? {}) as { atLeast?: number } // validated, where the operation has it
        if (atLeast !== undefined) await rooms.controller.reached(atLeast)
        // The table pairs each name's schemas with its handler, which a loop cannot show to the compiler.
        return handlers[name](input as never, caller)
      },
    })
  }
}

function addStreams(api: FastifyInstance, { controller, callers, examine }: Rooms, asks: Asks): void {
  const handlers = streamHandlers(controller, asks, examine)
  for (const name of Object.keys(streams) as (keyof typeof streams)[]) {
    const stream = streams[name]
    api.route({
      method: 'GET',
      url: stream.path,
      onRequest: async (request) => void callers.identify(request, stream.role),
      schema: {
        ...{ summary: `${stream.summary} (server-sent events)`, operationId: name, security: [{ bearer: [] }] },
        querystring: stream.query,
        ...('params' in stream ? { params: stream.params } : {}),
      },
      handler: async (request, reply) => {
        callers.watch(request, stream.role, reply.raw)
        const input = { params: request.params, query: request.query, body: undefined }
        await handlers[name](input as never, request, reply) // as for operations
        return reply
      },
    })
  }
}

function addObjects(api: FastifyInstance, { releases, callers }: Rooms, logger: Logger): void {
  const hidden = { schema: { hide: true } }
  const mayPut = async (request: FastifyRequest): Promise<void> => void callers.identify(request, 'operator')
  api.post('/objects', { ...hidden, onRequest: mayPut, bodyLimit: Number.MAX_SAFE_INTEGER }, async (request) => {
    await releases.depot.put(bytesOf(request, framesContentType))
    return {}
  })
  const mayFetch = async (request: FastifyRequest): Promise<void> => void callers.identify(request, 'agentOrOperator')
  const schema = { hide: true, body: keysSchema }
  api.post('/objects/fetch', { schema, onRequest: mayFetch }, async (request, reply) => {
    const { keys } = request.body as { keys: `blob/${string}`[] } // an array of words, which the depot checks one by one
    const gone = new AbortController()
    reply.raw.on('close', () => gone.abort())
    const frames = saying(releases.depot.fetch(keys, { signal: gone.signal }), (error) => {
      if (!gone.signal.aborted) logger.error({ err: error }, 'objects could not be sent')
    })
    return reply.type(framesContentType).send(ReadableStream.from(await primed(frames, framesBeforeAnswer)))
  })
}

function addAgentCalls(
  api: FastifyInstance,
  { callers }: Rooms,
  links: AgentLinks,
  { asks, channels }: { asks: Asks; channels: Channels },
): void {
  const hidden = { schema: { hide: true } }
  const onRequest = async (request: FastifyRequest): Promise<void> => void callers.identify(request, 'agent')
  api.get('/agent/stream', { ...hidden, onRequest }, async (request, reply) => {
    const { machine } = callers.watch(request, 'agent', reply.raw)
    if (machine === null) throw new OperatorError('E_FORBIDDEN', 'the token speaks for no machine')
    const stream = new EventStream(request, reply)
    const link = { write: (text: string) => stream.writeText(text), end: () => stream.end() }
    stream.signal.addEventListener('abort', links.connect(machine, link))
    return reply
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

const keysSchema = z.object({ keys: z.array(z.string().max(80)).max(1_000) })

/** The body as it comes; only of this content type is it not parsed (above). */
function bytesOf(request: FastifyRequest, contentType: string): AsyncIterable<Uint8Array> {
  if (request.headers['content-type'] === contentType) return request.body as AsyncIterable<Uint8Array>
  throw new OperatorError('E_USAGE', `the body must be ${contentType}`, { subject: request.url })
}

/** The beginning of the frames, and the first object: what fails by then is told, and is no connection that breaks off. */
const framesBeforeAnswer = 2

/** The same items, `count` of them already taken: their failure is this promise's. */
async function primed<T>(items: AsyncIterable<T>, count: number): Promise<AsyncIterable<T>> {
  const iterator = items[Symbol.asyncIterator]()
  const first: T[] = []
  while (first.length < count) {
    const next = await iterator.next()
    if (next.done) break
    first.push(next.value)
  }
  return (async function* () {
    yield* first
    yield* { [Symbol.asyncIterator]: () => iterator }
  })()
}

/** A stream whose failure its reader only sees as a connection that breaks off. */
async function* saying<T>(items: AsyncIterable<T>, say: (error: unknown) => void): AsyncIterable<T> {
  try {
    yield* items
  } catch (error) {
    say(error)
    throw error
  }
}

const isLoopback = (request: FastifyRequest): boolean => /^(127\.|::1$|::ffff:127\.)/.test(request.ip)
