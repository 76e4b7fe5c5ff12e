import type { Logger } from 'pino'
import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import type { SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import type { Clock } from '../lib/clock.ts'
import type { AgentSelf, Checkup } from '../protocol/checkup.ts'
import type { Answer, Ask, UnknownAsk } from '../protocol/ask.ts'
import type { MachineLoad } from '../protocol/numbers.ts'
import type { Endpoints } from '../protocol/report.ts'
import type { ReleaseCache } from '../releases/releaseCache.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import { Agent } from './agent.ts'
import type { AgentDisk } from './agentDisk.ts'
import { agentSelf } from './agentSelf.ts'
import { Answers } from './answers.ts'
import type { ControllerConnection } from './controllerConnection.ts'
import { ControllerLink } from './controllerLink.ts'
import { agentFeatures, type HungFeature } from './features.ts'
import { IdleMemory } from './idleMemory.ts'
import type { MachineFeature } from './machineFeature.ts'
import { machineNumbers } from './numbers/machineNumbers.ts'
import { LateWrites } from './lateWrites.ts'
import type { Loopback } from './loopback.ts'
import { InstancePorts, type PortRange } from './ports.ts'
import { Problems } from './problems.ts'
import { DebianPackages } from './requirements/debianPackages.ts'
import { requirementFacts } from './requirements/requirementFacts.ts'
import { ReleaseLauncher } from './releaseLauncher.ts'

export interface ComposeOptions {
  /** Features beyond those that run the services. */
  features: readonly HungFeature[]
  /** Identifies the start of the machine (boot); empty where the agent cannot know. */
  bootMark: () => string
  machine: string
  ports: PortRange
  /** Added to the TCP ports of routes: several machines on one laptop must not take the same port. */
  tcpOffset: number
  secretsFolder: string | null
  cacheCapBytes: number | null
  keepLast: number
  version: string
  logger: Logger
  supervisor: SupervisorDriver
  /** Makes this machine's checkup, which includes the agent's report about itself. */
  examine: (self: AgentSelf) => Promise<Checkup>
}

/** Everything outside the agent, and time and chance: tests put their own in its place. */
export interface Surroundings {
  balancer: BalancerDriver
  disk: AgentDisk
  cache: Pick<ReleaseCache, 'has' | 'fetch' | 'open' | 'materialise' | 'collect'>
  source: ReleaseSource
  connection: ControllerConnection
  loopback: Loopback
  /** How busy the machine is. */
  load: () => Promise<MachineLoad>
  endpoints: Endpoints
  env: NodeJS.ProcessEnv
  clock: Clock
  random: () => number
}

export interface ComposedAgent {
  agent: Agent
  link: ControllerLink
  self: () => AgentSelf
  /** Restores what last ran, then connects to the controller. */
  start: () => Promise<void>
  close: () => Promise<void>
}

/** Connects the parts of an agent. If that fails, everything opened by then is closed again. */
export async function composeAgent(options: ComposeOptions, around: Surroundings): Promise<ComposedAgent> {
  const { machine, version, supervisor, logger, tcpOffset, keepLast, cacheCapBytes, secretsFolder } = options
  const { balancer, disk, cache, source, connection, loopback, load, endpoints, env, clock, random } = around
  await using opened = new AsyncDisposableStack()
  const changed = (): void => link.changed()
  const problems = new Problems(logger, changed)
  const lateWrites = new LateWrites(problems)
  const ports = new InstancePorts(options.ports, disk, lateWrites, loopback.isFree)
  const self = (): AgentSelf => {
    const { http, forward, metrics } = endpoints
    return agentSelf(agent, { version, ports: options.ports, controller: link.connected, http, forward, metrics })
  }
  const idleMemory = new IdleMemory(clock)
  opened.defer(() => idleMemory.close())
  const link: ControllerLink = new ControllerLink(
    connection,
    {
      desired: (desired) => {
        agent.heard('desired state')
        agent.accept(desired)
        idleMemory.worked()
      },
      ask: (ask) => answers.take(ask),
      report: () => agent.report(),
      beat: () => agent.retry(),
      heard: (laterBoot) => agent.answered(laterBoot),
    },
    logger,
    clock,
    random,
  )
  // A full disk must not keep the agent from starting: otherwise nothing could report the full disk.
  lateWrites.write('the ports', () => {
    const next = disk.readPorts()?.next ?? options.ports.first
    disk.writePorts({ next, forward: endpoints.forward, metrics: endpoints.metrics })
  })
  const boot = disk.nextBoot(clock.now())
  lateWrites.write('the start number of the agent', () => disk.writeBoot(boot))
  const launcher = new ReleaseLauncher({
    ...{ machine, supervisor, cache, source, ports, disk, secretsFolder, agentEnv: env },
  })
  const { own, all, jobs } = await agentFeatures(
    {
      ...{ supervisor, balancer, tcpOffset, cache, source, connection, cacheCapBytes, keepLast, disk, ports, launcher },
      ...{ loopback, problems, lateWrites, clock, random, logger, changed, bootMark: options.bootMark },
    },
    options.features,
  )
  const agent: Agent = new Agent({
    ...{ machine, version, boot, own, features: all, disk, problems, lateWrites, logger, endpoints: () => endpoints },
  })
  opened.defer(async () => void (await Promise.all([agent.close(), jobs.commands.close(), jobs.accesses.close()])))
  const packages = new DebianPackages()
  const failed = (error: unknown): void => logger.warn({ err: error }, 'could not deliver an answer to the controller')
  const answers = new Answers({
    ...{ connection, supervisor, commands: jobs.commands, accesses: jobs.accesses, failed, clock },
    examine: () => options.examine(self()),
    requirements: (asked) => requirementFacts(asked, { supervisor, load, packages, env }),
    byFeature: (ask, signal) => byFeature(all, ask, signal),
    numbers: () => machineNumbers({ balancer, load, running: () => own.services.takingRequests() }),
  })
  opened.defer(() => answers.close())
  opened.defer(() => link.close())
  agent.onChange = changed
  const running = opened.move()
  const start = async (): Promise<void> => {
    await agent.start()
    link.start()
  }
  return { agent, link, self, start, close: () => running.disposeAsync() }
}

async function byFeature(
  features: readonly MachineFeature[],
  ask: Ask | UnknownAsk,
  signal: AbortSignal,
): Promise<Answer | null> {
  for (const feature of features) {
    const answer = await feature.answer?.(ask, signal)
    if (answer) return answer
  }
  return null
}
