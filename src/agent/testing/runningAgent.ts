import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Definition } from '../../definitions/definition.ts'
import { FakeBalancer } from '../../drivers/balancer/fakeBalancer.ts'
import { createFakeAddress, type FakeAddress } from '../../drivers/address/fakeAddress.ts'
import { createFakeSupervisor, type FakeSupervisor } from '../../drivers/supervisor/fakeSupervisor.ts'
import { systemClock } from '../../lib/clock.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import { describeFolder } from '../../releases/describeFolder.ts'
import { DirectoryStore } from '../../releases/directoryStore.ts'
import { publish } from '../../releases/publish.ts'
import { ReleaseCache } from '../../releases/releaseCache.ts'
import { ReleaseDepot } from '../../releases/releaseDepot.ts'
import { Agent } from '../agent.ts'
import { AgentDisk } from '../agentDisk.ts'
import { agentFeatures, type AgentJobs, type HungFeature } from '../features.ts'
import { bareFeatures } from './bareFeatures.ts'
import { loopback } from '../loopback.ts'
import { LateWrites } from '../lateWrites.ts'
import { InstancePorts } from '../ports.ts'
import { Problems } from '../problems.ts'
import { ReleaseLauncher } from '../releaseLauncher.ts'
import { aDefinition, quiet } from './given.ts'

export interface RunningAgent extends AgentJobs {
  agent: Agent
  supervisor: FakeSupervisor
  balancer: FakeBalancer
  address: FakeAddress
  disk: AgentDisk
  cache: ReleaseCache
  /** Positions of the obeyed states, oldest first. */
  obeyed: number[]
}

/** A store with releases of a small worker, which needs no port to become ready. */
export class Releases {
  readonly depot: ReleaseDepot
  #folder: string

  static async open(folder: string): Promise<Releases> {
    return new Releases(folder, await DirectoryStore.open(join(folder, 'store')))
  }

  private constructor(folder: string, store: DirectoryStore) {
    this.#folder = folder
    const policy = { keep: new Set<string>(), lastPerService: 5, published: [] }
    this.depot = new ReleaseDepot({ store, clock: systemClock, capBytes: null, policy: () => policy })
  }

  async publish(content: string, over: Partial<Definition> = {}): Promise<{ id: string; definition: Definition }> {
    const folder = join(this.#folder, `source-${content}`)
    if (!existsSync(folder)) mkdirSync(folder)
    writeFileSync(join(folder, 'server'), content, { mode: 0o755 })
    const definition = aDefinition({ listen: 'none', ...over })
    const { id } = await publish(await describeFolder(folder, { definition }), this.depot)
    return { id, definition }
  }
}

const noCalls = { post: () => Promise.reject(new Error('no controller here')) }

/** Starts an agent of real parts with fake drivers, which the test controls. Its disk is `folder`. */
export async function startedAgent(
  folder: string,
  releases: Releases,
  make: {
    supervisor?: FakeSupervisor
    ports?: { first: number; last: number }
    keepLast?: number
    disk?: AgentDisk
  } = {},
): Promise<RunningAgent> {
  const supervisor = make.supervisor ?? createFakeSupervisor(systemClock)
  const [balancer, address] = [new FakeBalancer(), createFakeAddress()]
  const disk = make.disk ?? new AgentDisk(folder)
  const cache = await ReleaseCache.open(join(folder, 'cache'))
  const problems = new Problems(quiet, () => agent.onChange())
  const lateWrites = new LateWrites(problems)
  const ports = new InstancePorts(make.ports ?? { first: 18_000, last: 18_100 }, disk, lateWrites)
  const source = releases.depot
  const secretsFolder = join(folder, 'env')
  const launcher = new ReleaseLauncher({
    ...{
      machine: 'a',
      supervisor,
      cache,
      source,
      ports,
      disk,

      secretsFolder,
      agentEnv: { PATH: '/bin' },
    },
  })
  const changed = (): void => agent.onChange()
  const random = (): number => 0
  const obeyed: number[] = []
  const boot = disk.nextBoot(systemClock.now())
  disk.writeBoot(boot)
  const recorder: HungFeature = {
    make: () => ({
      want: ({ position }, isRestored) => void (isRestored || obeyed.push(position)),
      report: () => ({}),
    }),
  }
  const hung = await bareFeatures(address)
  const {
    own,
    all: features,
    jobs,
  } = await agentFeatures(
    {
      ...{ supervisor, balancer, tcpOffset: 0, cache, source, connection: noCalls, bootMark: () => '' },
      ...{ cacheCapBytes: null, keepLast: make.keepLast ?? 5, disk, ports, launcher, loopback, problems, lateWrites },
      ...{ clock: systemClock, random, logger: quiet, changed },
      instanceLimits: { readyProbeMs: 10, restart: { firstMs: 10, mostMs: 40 } },
    },
    [...hung, recorder],
  )
  const agent: Agent = new Agent({
    ...{ machine: 'a', version: '0', boot, own, features, disk, problems, lateWrites, logger: quiet },
    endpoints: () => ({ host: '127.0.0.1', http: 1, forward: 2, metrics: 3 }),
  })
  await agent.start()
  return { agent, supervisor, balancer, address, disk, cache, obeyed, ...jobs }
}

/** The part of a desired state that runs instances of one release. */
export const runs = (
  { id: release, definition }: { id: string; definition: Definition },
  ...ids: string[]
): Pick<DesiredState, 'instances' | 'definitions' | 'fetch' | 'keep'> => ({
  instances: ids.map((id, index) => ({
    ...{ id, service: definition.service, release, slot: index + 1, generation: 'r1', traffic: 'active' },
  })),
  definitions: { [release]: definition },
  fetch: [release],
  keep: [release],
})
