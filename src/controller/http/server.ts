import { join } from 'node:path'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import { z } from 'zod'
import { operations, streams } from '../../api/contract.ts'
import { basePath } from '../../api/operation.ts'
import { dryRunSchema, withDryRun, type DryRun, type Operation } from '../../api/operation.ts'
import { wordingOf } from '../../decider/wordingOf.ts'
import type { Event } from '../../events/event.ts'
import { channelProtocol } from '../../lib/byteChannel.ts'
import { isLocalHost, isLoopbackAddress } from '../../lib/localHost.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { programFolder } from '../../lib/programFolder.ts'
import { framesContentType } from '../../releases/objectFrames.ts'
import { AgentLinks } from '../agentLinks.ts'
import { Asks } from '../asks.ts'
import { Channels } from '../channels.ts'
import type { Controller } from '../controller.ts'
import type { Deciding } from '../deciding.ts'
import { controllerMetrics } from '../metrics.ts'
import { PageFiles } from '../page/pageFiles.ts'
import { servePage } from '../page/servePage.ts'
import { addAgentCalls } from './agentCalls.ts'
import { addFeatureTransfers } from '../features.ts'
import { bearer } from './callers.ts'
import { takeChannels, wantsChannel } from './channelUpgrades.ts'
import { callersOf, described, eventsOf, problemResponse } from './described.ts'
import { addObjects } from './objectCalls.ts'
import type { Caller, Rooms } from '../handlers.ts'
import { operationHandlers } from './operationHandlers.ts'
import { Routes } from './routes.ts'
import { refuseUnknown } from './refuseUnknown.ts'
import { asOperatorError, refuseGarbage, sendProblem } from './problems.ts'
import { streamHandlers } from './streamHandlers.ts'

const maxJsonBytes = 8 * 1024 * 1024

/** TLS options in the form that Node's `https.createServer` takes. */
type Https = SecureContextOptions & TlsOptions

/** The controller's ends of its talk with agents. */
interface AgentEnds {
  links: AgentLinks
  channels: Channels
  asks: Asks
}

interface BuiltServer extends AgentEnds {
  server: FastifyInstance
}

function agentEnds(controller: Controller): AgentEnds {
  const links = new AgentLinks(controller)
  const asks = new Asks((machine, ask) => links.ask(machine, ask), controller.clock)
  const channels = new Channels((machine, ask) => links.ask(machine, ask), controller.clock)
  return { links, asks, channels }
}

/**
 * The controller's HTTP server: the contract's calls and streams, object transfers, the agents' streams, health and
 * metrics.
 */
export async function buildServer(
  rooms: Rooms,
  logger: Logger,
  https: Https | null = null,
  ends: AgentEnds = agentEnds(rooms.controller),
): Promise<BuiltServer> {
  const { links, asks, channels } = ends
  const server = fastify({
    // Fastify types its options by the kind of server, and passes these to Node unchanged.
    ...(https
      ? { https: { ...https, shouldUpgradeCallback: wantsChannel } }
      : { http: { shouldUpgradeCallback: wantsChannel } }),
    bodyLimit: maxJsonBytes,
    forceCloseConnections: true,
    // A HEAD request for a stream would never end.
    exposeHeadRoutes: false,
    // Streams and uploads have no time limit; headers have Node's own limit.
    requestTimeout: 0,
    keepAliveTimeout: 60_000,
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (error, request, reply) => void sendProblem(asOperatorError(error, request, logger), reply),
    clientErrorHandler: refuseGarbage,
  })
  server.setValidatorCompiler(validatorCompiler)
  server.setSerializerCompiler(serializerCompiler)
  server.setErrorHandler((error, request, reply) => sendProblem(asOperatorError(error, request, logger), reply))
  const known = new Routes()
  server.addHook('onRoute', ({ method, url }) => known.add(method, url))
  const pages = new PageFiles(join(programFolder, 'web/built'))
  server.setNotFoundHandler(async (request, reply) =>
    (await servePage(pages, request, reply)) ? reply : known.refuse(request, reply),
  )
  server.addContentTypeParser([framesContentType, 'application/x-ndjson'], (_request, body, done) => done(null, body))
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tandem',
        version: '1',
        description:
          'The API of the controller: publish releases, roll services, read status. Users authenticate with bearer tokens.',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
    transform: described,
  })
  takeChannels(server.server, channels, rooms.callers, logger)
  await server.register(
    async (api) => {
      addOperations(api, rooms, { channels, asks })
      addStreams(api, rooms, asks)
      addObjects(api, rooms, logger)
      addFeatureTransfers(api, rooms)
      addAgentCalls(api, rooms, links, { asks, channels })
      addChannels(api, rooms)
      api.get('/openapi.json', { schema: { hide: true } }, () => server.swagger())
    },
    { prefix: basePath },
  )
  server.get('/healthz', { schema: { hide: true } }, (request, reply) => {
    refuseForeignName(request)
    const problem = rooms.unwritable()
    return reply.status(problem === null ? 200 : 503).send({ ok: problem === null, problem })
  })
  server.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    if (isLoopbackAddress(request.ip) && bearer(request) === undefined) refuseForeignName(request)
    else if (!isLoopbackAddress(request.ip)) rooms.callers.identify(request, 'reader')
    const { contentType, text } = await controllerMetrics(rooms.controller, links.connected())
    return reply.type(contentType).send(text)
  })
  return { server, links, channels, asks }
}

function addOperations(api: FastifyInstance, rooms: Rooms, ends: Pick<AgentEnds, 'channels' | 'asks'>): void {
  const { callers, membership } = rooms
  const handlers = operationHandlers(rooms, ends)
  const callerOf = async (request: FastifyRequest, role: Operation['role']): Promise<Caller> => {
    if (role === 'visitor')
      return { role, machine: null, name: 'a browser with a link', secret: callers.mayVisit(request) }
    if (role !== 'joiner') return callers.identify(request, role)
    const secret = await membership.mayJoin(bearer(request))
    return { role, machine: null, name: 'a machine that joins', secret }
  }
  for (const name of Object.keys(operations) as (keyof typeof operations)[]) {
    const operation: Operation = operations[name]
    const { method, path: url, role, summary, params, body, response, dryRun } = operation
    const query = dryRun ? withDryRun(operation.query) : operation.query
    api.route({
      method,
      url,
      // Before the body is parsed: unauthenticated callers must not cause work.
      onRequest: async (request) => void (await callerOf(request, role)),
      preValidation: async (request) => refuseUnknown({ ...operation, ...(query ? { query } : {}) }, request),
      schema: {
        ...{ summary, operationId: name, security: [{ bearer: [] }], ...callersOf(role) },
        ...(params ? { params } : {}),
        ...(query ? { querystring: query } : {}),
        ...(body ? { body } : {}),
        response: { 200: dryRun ? z.union([response, dryRunSchema]) : response, default: problemResponse },
      },
      handler: async (request, reply) => {
        const caller = await callerOf(request, role)
        const input = { params: request.params, query: request.query, body: request.body }
        const { atLeast } = (request.query ?? {}) as { atLeast?: number } // validated where the operation has it
        if (atLeast !== undefined) await rooms.controller.reached(atLeast)
        // The table pairs each name's schemas with its handler; a loop cannot show that to the compiler.
        const answer: unknown = handlers[name](input as never, caller, () => reply.raw.destroyed)
        if (dryRun !== true) return answer
        const deciding = answer as Deciding<unknown> // by the type of the handlers
        await deciding.before?.()
        const { dryRun: isDryRun } = request.query as { dryRun: boolean } // validated above
        return isDryRun
          ? { dryRun: true, events: (await rooms.controller.rehearse(deciding.request)).map(inWords) }
          : deciding.answer(await rooms.controller.execute(deciding.request, caller.name))
      },
    })
  }
}

function inWords(event: Event): DryRun['events'][number] {
  const { subject, text } = wordingOf(event)
  return { ...event, words: `${subject} ${text}` }
}

function addStreams(api: FastifyInstance, rooms: Rooms, asks: Asks): void {
  const { callers } = rooms
  const handlers = streamHandlers(rooms, asks)
  for (const name of Object.keys(streams) as (keyof typeof streams)[]) {
    const stream = streams[name]
    api.route({
      method: 'GET',
      url: stream.path,
      onRequest: async (request) => void callers.identify(request, stream.role),
      preValidation: async (request) => refuseUnknown(stream, request),
      schema: {
        ...{
          summary: `${stream.summary} (server-sent events)`,
          operationId: name,
          security: [{ bearer: [] }],
          ...callersOf(stream.role),
        },
        querystring: stream.query,
        ...('params' in stream ? { params: stream.params } : {}),
        response: { 200: eventsOf(stream.data), default: problemResponse },
      },
      handler: async (request, reply) => {
        const caller = callers.watch(request, stream.role, reply.raw)
        const input = { params: request.params, query: request.query, body: undefined }
        await handlers[name](input as never, request, reply, caller) // as for operations
        return reply
      },
    })
  }
}

/** The connections are taken over before they become requests: see `takeChannels`. */
function addChannels(api: FastifyInstance, { callers }: Rooms): void {
  api.route({
    method: 'GET',
    url: '/channels/:id',
    onRequest: async (request) => void callers.identify(request, 'operator'),
    schema: {
      ...{ operationId: 'channel', security: [{ bearer: [] }], ...callersOf('operator') },
      summary: 'one end of a byte channel, with `Upgrade: tandem-channel`: docs/decisions/013-byte-channel.md',
      params: z.object({ id: z.string().max(200) }),
      response: { 101: z.null().describe('the connection carries frames from here on'), default: problemResponse },
    },
    handler: async (request, reply) => {
      const error = new OperatorError(
        'E_USAGE',
        'a channel needs `Connection: Upgrade` and `Upgrade: tandem-channel`',
        {
          subject: request.url,
        },
      )
      return sendProblem(error, reply.header('upgrade', channelProtocol))
    },
  })
}

/**
 * Calls that need no token on loopback answer only requests that name this computer. Otherwise a web page that points
 * its own host name here (DNS rebinding) could read them through a user's browser.
 */
function refuseForeignName({ ip, headers }: FastifyRequest): void {
  if (!isLoopbackAddress(ip) || isLocalHost(headers.host)) return
  throw new OperatorError('E_FOREIGN_HOST', `"${headers.host ?? ''}" is not a name of this computer`, {
    subject: headers.host ?? '',
    next: 'use the address http://127.0.0.1:PORT, or send the token of a reader',
  })
}
