import type { Logger } from 'pino'
import type { ApiClient } from '../api/client.ts'
import { ObjectsClient } from '../api/objectsClient.ts'
import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import { systemClock } from '../lib/clock.ts'
import type { AgentSelf } from '../protocol/checkup.ts'
import type { Endpoints } from '../protocol/report.ts'
import { cacheFolder } from '../layout/dataFolder.ts'
import { ReleaseCache } from '../releases/releaseCache.ts'
import type { ReleaseFolders } from '../releases/releaseFolders.ts'
import { AgentDisk } from './agentDisk.ts'
import { agentSelf } from './agentSelf.ts'
import { AgentServer } from './agentServer.ts'
import { composeAgent, type ComposedAgent, type ComposeOptions } from './composeAgent.ts'
import { httpConnection } from './httpConnection.ts'
import { loopback } from './loopback.ts'
import { machineLoad } from './numbers/machineLoad.ts'
import { SelfSocket } from './selfSocket.ts'

/** The drivers are made by the composition root, which alone picks implementations. */
export interface AgentOptions extends ComposeOptions {
  client: ApiClient
  data: string
  /** Host name or address at which other machines and clients reach this machine. */
  host: string
  metricsPort: number
  balancer: (forwardPort: number) => Promise<BalancerDriver>
  /** Where the folders of releases are; left out: in the agent's own cache. */
  foldersIn?: ((own: ReleaseFolders) => ReleaseFolders) | undefined
}

export interface RunningAgent {
  endpoints: Endpoints
  close: () => Promise<void>
}

/**
 * Opens what an agent on a real machine works with, and starts the agent. If the start fails, everything opened by then
 * is closed again, so that nothing keeps the process alive.
 */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { client, data, host, logger, version, ports, foldersIn } = options
  await using opened = new AsyncDisposableStack()
  const disk = new AgentDisk(data)
  const remembered = disk.readPorts()
  const cache = await ReleaseCache.open(cacheFolder(data), foldersIn ? { foldersIn } : {})
  const balancer = opened.adopt(await options.balancer(remembered?.forward ?? 0), (one) => one.close())
  let composed: ComposedAgent | null = null
  const connected = (): boolean => composed?.link.connected ?? false
  const { http, forward } = balancer.ports
  const self = (): AgentSelf =>
    composed?.self() ?? agentSelf(null, { version, ports, controller: false, http, forward, metrics })
  const server = new AgentServer(() => composed && { agent: composed.agent, balancer, connected })
  const metrics = await server.listen(options.metricsPort || (remembered?.metrics ?? 0))
  opened.defer(() => server.close())
  const selfSocket = await listenForDoctor(data, self, logger)
  opened.defer(() => selfSocket.close())
  const endpoints = { host, http, forward, metrics }
  composed = await composeAgent(options, {
    ...{ balancer, disk, cache, source: new ObjectsClient(client), connection: httpConnection(client), loopback },
    ...{ endpoints, env: process.env, clock: systemClock, random: () => Math.random(), load: () => machineLoad(data) },
  })
  opened.defer(composed.close)
  await composed.start()
  const running = opened.move()
  return { endpoints, close: () => running.disposeAsync() }
}

/** Only `tandem doctor` needs the socket: the agent runs without it. */
async function listenForDoctor(data: string, self: () => AgentSelf, logger: Logger): Promise<SelfSocket> {
  const socket = new SelfSocket(data, self)
  await socket
    .listen()
    .catch((error: unknown) => logger.warn({ err: error }, 'could not make the socket that tandem doctor reads'))
  return socket
}
