import { join } from 'node:path'
import type { Logger } from 'pino'
import type { ApiClient } from '../api/client.ts'
import { ObjectsClient } from '../api/objectsClient.ts'
import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import type { SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import { systemClock } from '../lib/clock.ts'
import type { AgentSelf, Checkup } from '../protocol/checkup.ts'
import type { Endpoints } from '../protocol/report.ts'
import { ReleaseCache } from '../releases/releaseCache.ts'
import { Agent } from './agent.ts'
import { AgentDisk } from './agentDisk.ts'
import { agentSelf } from './agentSelf.ts'
import { AgentServer } from './agentServer.ts'
import { Answers } from './answers.ts'
import { ControllerLink } from './controllerLink.ts'
import { agentFeatures, type FeatureOptions } from './features.ts'
import { LateWrites } from './lateWrites.ts'
import { InstancePorts, type PortRange } from './ports.ts'
import { IdleMemory } from './idleMemory.ts'
import { Problems } from './problems.ts'
import { ReleaseLauncher } from './releaseLauncher.ts'
import { SelfSocket } from './selfSocket.ts'

export interface AgentOptions extends FeatureOptions {
  machine: string
  client: ApiClient
  data: string
  /** Host name or address at which other machines and clients reach this machine. */
  host: string
  metricsPort: number
  ports: PortRange
  /** Added to the TCP ports of routes: several machines on one laptop must not take the same port. */
  tcpOffset: number
  secretsFolder: string | null
  cacheCapBytes: number | null
  keepLast: number
  version: string
  logger: Logger
  /** The drivers are made by the composition root, which alone picks implementations. */
  supervisor: SupervisorDriver
  balancer: (forwardPort: number) => Promise<BalancerDriver>
  /** Makes this machine's checkup, which includes the agent's report about itself. */
  examine: (self: AgentSelf) => Promise<Checkup>
}

export interface RunningAgent {
  endpoints: Endpoints
  close: () => Promise<void>
}

/**
 * Wires the agent together: restores what last ran, then connects to the controller. If the start fails, everything
 * opened by then is closed again, so that nothing keeps the process alive.
 */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { machine, client, data, host, logger, supervisor, tcpOffset, version, keepLast, cacheCapBytes } = options
  await using opened = new AsyncDisposableStack()
  const disk = new AgentDisk(data)
  const remembered = disk.readPorts()
  const cache = await ReleaseCache.open(join(data, 'cache'))
  const source = new ObjectsClient(client)
  const balancer = opened.adopt(await options.balancer(remembered?.forward ?? 0), (one) => one.close())
  let agent: Agent | null = null
  let link: ControllerLink | null = null
  const changed = (): void => link?.changed()
  const problems = new Problems(logger, changed)
  const lateWrites = new LateWrites(problems)
  const ports = new InstancePorts(options.ports, disk, lateWrites)

  const self = (): AgentSelf =>
    agentSelf(agent, {
      ...{ version, ports: options.ports, controller: link?.connected ?? false },
      ...{ http: endpoints.http, forward: endpoints.forward, metrics: endpoints.metrics },
    })
  const server = new AgentServer(() =>
    agent && link ? { agent, balancer, connected: () => link?.connected ?? false } : null,
  )
  const metrics = await server.listen(options.metricsPort || (remembered?.metrics ?? 0))
  opened.defer(() => server.close())
  const selfSocket = await listenForDoctor(data, self, logger)
  opened.defer(() => selfSocket.close())
  const endpoints = { host, http: balancer.ports.http, forward: balancer.ports.forward, metrics }
  // A full disk must not keep the agent from starting: otherwise nothing could report the full disk.
  lateWrites.write('the ports', () => {
    const next = disk.readPorts()?.next ?? options.ports.first
    disk.writePorts({ next, forward: endpoints.forward, metrics })
  })
  const boot = disk.nextBoot(systemClock.now())
  lateWrites.write('the start number of the agent', () => disk.writeBoot(boot))

  const { secretsFolder } = options
  const launcher = new ReleaseLauncher({
    ...{ machine, supervisor, cache, source, ports, disk, secretsFolder, agentEnv: process.env },
  })
  const random = (): number => Math.random()
  const { features, jobs } = await agentFeatures({
    ...{ options, supervisor, balancer, tcpOffset, cache, source, cacheCapBytes, keepLast, disk, ports, launcher },
    ...{ problems, lateWrites, clock: systemClock, random, logger, changed },
  })
  agent = new Agent({
    ...{ machine, version, boot, features, disk, problems, lateWrites, logger, endpoints: () => endpoints },
  })
  opened.defer(async () => void (await Promise.all([agent.close(), jobs.commands.close()])))
  const failed = (error: unknown): void => logger.warn({ err: error }, 'could not deliver an answer to the controller')
  const answers = new Answers({
    ...{ client, supervisor, commands: jobs.commands, failed, clock: systemClock },
    examine: () => options.examine(self()),
  })
  opened.defer(() => answers.close())
  const idleMemory = new IdleMemory(systemClock)
  opened.defer(() => idleMemory.close())
  link = new ControllerLink(
    client,
    {
      desired: (desired) => {
        agent.heard('desired state')
        agent.accept(desired)
        idleMemory.worked()
      },
      ask: (ask) => answers.take(ask),
      report: () => agent.report(),
      beat: () => agent.retry(),
      heard: () => agent.heard('answer'),
    },
    logger,
    systemClock,
    random,
  )
  agent.onChange = changed
  await agent.start()
  link.start()
  opened.defer(() => link.close())
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
