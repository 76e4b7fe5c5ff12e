import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pino, type Logger } from 'pino'
import { startAgent, type RunningAgent } from '../../src/agent/startAgent.ts'
import { ApiClient } from '../../src/api/client.ts'
import { startController, type RunningController } from '../../src/controller/startController.ts'
import { Contexts } from '../../src/cli/contexts.ts'
import { foldersOf } from '../../src/cli/folders.ts'
import type { BalancerDriver } from '../../src/drivers/balancer/balancer.ts'
import { openEmbedded } from '../../src/drivers/balancer/openEmbedded.ts'
import { createProcessSupervisor } from '../../src/drivers/supervisor/process/processSupervisor.ts'
import { examineController, examineMachine } from '../../src/examine/checkups.ts'
import { keepTokens, type LaptopTokens } from '../../src/laptop/laptopTokens.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { bareFeatures } from '../../src/agent/testing/bareFeatures.ts'
import { examinations } from '../../src/machine/features.ts'
import { readVersion } from '../../src/lib/version.ts'
import { DirectoryStore } from '../../src/releases/directoryStore.ts'
import { removeTree } from '../../src/releases/removeTree.ts'
import { CommandLine, type Command } from '../system/commandLine.ts'
import { freePorts } from '../system/laptop.ts'
import { CommandHere } from './commandHere.ts'

const root = join(import.meta.dirname, '../..')
const host = '127.0.0.1'
const logTo = (file: string): Logger => pino(pino.destination({ dest: file, sync: true }))

/** Opens a machine's balancer, which listens then; `data`: the folder of the machine. */
type OpenBalancer = (about: { machine: string; data: string; httpPort: number }) => Promise<BalancerDriver>

/**
 * A cluster as `tandem up` starts it, but in this process: the real controller with its database and HTTP server, real
 * agents with the drivers of a laptop, and the command line as a function. Instances, builds and jobs are processes.
 * Tests that kill one of Tandem's own processes are in test/system.
 */
export class Assembled extends CommandLine {
  readonly folder: string
  readonly port: number
  readonly env: NodeJS.ProcessEnv
  readonly entries: Record<string, string>
  readonly #tokens: LaptopTokens
  readonly #firstEntry: number
  readonly #names: string[]
  #openBalancer: OpenBalancer | null = null
  #controller: RunningController | null = null
  readonly #agents = new Map<string, RunningAgent>()

  /** Writes a release of the service that is named as this program, with these lines of its definition. Returns its folder. */
  writeRelease(program: string, version: string, lines: readonly string[]): string {
    const service = basename(program, '.mjs')
    const folder = join(this.folder, service, version)
    mkdirSync(folder, { recursive: true })
    cpSync(program, join(folder, basename(program)))
    const usual = ['health: { path: /health, every: 20ms }', 'rollout: { drain: 100ms }']
    const all = [`service: ${service}`, `env: { VERSION: "${version}" }`, ...lines, ...usual]
    writeFileSync(join(folder, 'tandem.yaml'), all.join('\n'))
    return folder
  }

  /** `balancer`: in place of the one of a laptop. */
  static async start({
    machines = 2,
    balancer,
  }: { machines?: number; balancer?: OpenBalancer } = {}): Promise<Assembled> {
    mkdirSync(join(root, 'tmp'), { recursive: true })
    const folder = mkdtempSync(join(root, 'tmp/assembled-'))
    const names = ['a', 'b', 'c'].slice(0, machines)
    const data = join(folder, 'data')
    for (const one of ['controller', 'env', ...names]) mkdirSync(join(data, one), { recursive: true, mode: 0o700 })
    const cluster = new Assembled(folder, names, keepTokens(data, names), await freePorts(1 + machines))
    cluster.#openBalancer = balancer ?? null
    cluster.#saveContext()
    await cluster.startController()
    await Promise.all(names.map((name) => cluster.startAgent(name)))
    return cluster
  }

  private constructor(folder: string, names: string[], tokens: LaptopTokens, port: number) {
    super()
    this.folder = folder
    this.port = port
    this.#firstEntry = port + 1
    this.#names = names
    this.#tokens = tokens
    this.entries = Object.fromEntries(names.map((name) => [name, `http://${host}:${this.#entryOf(name)}`]))
    this.env = {
      ...process.env,
      ...{ XDG_CONFIG_HOME: join(folder, 'config'), XDG_CACHE_HOME: join(folder, 'cache'), NO_COLOR: '1' },
      XDG_STATE_HOME: join(folder, 'state'),
    }
  }

  /** Saves the context, as `tandem up` does. */
  #saveContext(): void {
    const contexts = new Contexts(foldersOf(this.env).config)
    contexts.set('local', { url: this.url, token: this.#tokens.operator })
    contexts.use('local')
  }

  get url(): string {
    return `http://${host}:${this.port}`
  }

  async startController(): Promise<void> {
    const data = join(this.folder, 'data/controller')
    const { operator, agents } = this.#tokens
    const logger = logTo(join(this.folder, 'data/controller.log'))
    this.#controller = await startController({
      ...{ config: { cluster: 'local', laptop: true }, data, host, port: this.port, storeCapBytes: null, logger },
      ...{ version: readVersion(), store: await DirectoryStore.open(join(data, 'releases')) },
      examine: () => examineController(data),
      admit: [
        { token: operator, identity: { role: 'operator', machine: null, name: 'tandem up' } },
        ...Object.entries(agents).map(([machine, token]) => ({
          ...{ token, identity: { role: 'agent' as const, machine, name: machine } },
        })),
      ],
    })
  }

  async stopController(): Promise<void> {
    await this.#controller?.close()
    this.#controller = null
  }

  async startAgent(machine: string): Promise<void> {
    const [data, index] = [join(this.folder, 'data', machine), this.#names.indexOf(machine)]
    const first = 20_000 + ((this.port * 7 + index * 1_000) % 11_000)
    const ports = { first, last: first + 999 }
    const secretsFolder = join(this.folder, 'data/env')
    const logger = logTo(join(data, 'agent.log'))
    const agent = await startAgent({
      ...{ machine, data, host, ports, secretsFolder, metricsPort: 0, tcpOffset: index * 1_000, keepLast: 5 },
      ...{ cacheCapBytes: null, version: readVersion(), logger, bootMark: () => '' },
      features: await bareFeatures(),
      client: new ApiClient({ url: this.url, token: this.#tokens.agents[machine] ?? null }),
      examine: (self) => examineMachine({ machine, data, secretsFolder, self, settings: null, features: examinations }),
      supervisor: createProcessSupervisor({ dir: join(data, 'supervisor'), machine, clock: systemClock }),
      balancer: (remembered) =>
        this.#openBalancer?.({ machine, data, httpPort: this.#entryOf(machine) }) ??
        openEmbedded({
          ...{ host, httpPort: this.#entryOf(machine), forwardPort: 0, remembered, machine, clock: systemClock },
          address: null,
        }),
    })
    this.#agents.set(machine, agent)
  }

  /** Stops everything, and removes the folder. */
  async stopAgent(machine: string): Promise<void> {
    await this.#agents.get(machine)?.close()
    this.#agents.delete(machine)
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.close()))
    await this.stopController()
    await removeTree(this.folder)
  }

  protected override begin(args: string[], input: 'none' | 'fed'): Command {
    return new CommandHere(args, this.env, input)
  }

  #entryOf(machine: string): number {
    return this.#firstEntry + this.#names.indexOf(machine)
  }
}
