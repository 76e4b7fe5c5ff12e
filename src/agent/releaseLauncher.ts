import type { Definition } from '../definitions/definition.ts'
import { instanceEnvironment } from '../drivers/supervisor/instanceEnvironment.ts'
import { programSpec, type ProgramUse } from '../drivers/supervisor/programSpec.ts'
import type { InstanceSpec, SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import type { SignedContent } from '../protocol/serviceOrders.ts'
import type { ReleaseCache } from '../releases/releaseCache.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import type { AgentDisk } from './agentDisk.ts'
import type { InstancePorts } from './ports.ts'

interface Options {
  machine: string
  supervisor: SupervisorDriver
  cache: Pick<ReleaseCache, 'has' | 'fetch' | 'open'>
  source: ReleaseSource
  ports: InstancePorts
  disk: AgentDisk
  secretsFolder: string | null
  agentEnv: NodeJS.ProcessEnv
}

interface Asked {
  id: string
  release: string
  /** Left out: that of the instance, or of the instances of this release. */
  generation?: string | undefined
  definition: Definition
  /** The order of the controller by which it starts; left out: that of its service. */
  order?: SignedContent | undefined
}

/** A program that is about to start. */
export type Program = Pick<Asked, 'id' | 'release' | 'generation'>

/** The additions of a feature to each start of a program on this machine. */
export interface StartExtra {
  /** Variables for a program. An empty one may stand in placeholders, but is not set. */
  variables?: (asked: Program) => Added
  /** Variables for a program, each as it is. */
  settings?: (asked: Program) => Added
  /** The secrets that the program gets, once this machine has them; `null`: none. */
  secrets?: (asked: Program, signal: AbortSignal) => Promise<InstanceSpec['secrets'] | null>
  /** The files that the program gets, once they are filled in; `null`: none. */
  files?: (asked: Program, signal: AbortSignal) => Promise<InstanceSpec['files'] | null>
  callsServices?: (release: string) => boolean
  /** The order of the controller about the programs of a service; `null`: there is none. */
  order?: (service: string) => SignedContent | null
}

type Added = Record<string, string>

/** Gathers everything that the start of a program of a release needs on this machine. */
export class ReleaseLauncher {
  #options: Options
  readonly #extras: StartExtra[] = []

  constructor(options: Options) {
    this.#options = options
  }

  /** A feature adds to each start from now on. */
  extend(extra: StartExtra): void {
    this.#extras.push(extra)
  }

  /** Whether programs of the release call other services through the balancer of this machine. */
  callsServices(release: string): boolean {
    return this.#extras.some((extra) => extra.callsServices?.(release))
  }

  /** Fetches and verifies the release, takes a port, expands arguments and environment. */
  async instance(asked: Asked, signal: AbortSignal): Promise<Start> {
    return this.#start(asked, { as: 'instance' }, signal)
  }

  /** The same for a program that ends on its own: the `prepare` of the release, or any command. */
  oneOff(asked: Asked, command: 'prepare' | string[], signal: AbortSignal): Promise<Start> {
    return this.#start(asked, command === 'prepare' ? { as: 'prepare' } : { as: 'command', argv: command }, signal)
  }

  /**
   * A program that a person runs beside an instance, with the environment that the instance has. Takes no port.
   * `access` is its id.
   */
  beside(access: string, of: Beside, argv: string[], signal: AbortSignal): Promise<InstanceSpec> {
    return this.#beside(of, { as: 'beside', id: access, argv }, signal)
  }

  /** Runs the command of `health` for each line that it reads, beside the instance. `prober` is its id. */
  prober(prober: string, of: Beside, signal: AbortSignal): Promise<InstanceSpec> {
    return this.#beside(of, { as: 'health', id: prober }, signal)
  }

  async #beside(of: Beside, use: ProgramUse, signal: AbortSignal): Promise<InstanceSpec> {
    const { source, cache } = this.#options
    const cwd = await cache.open(of.release, { source, signal })
    const words = this.#environment(of, of.port)
    return { ...programSpec({ ...of, words, cwd, callsServices: false }, use), ...this.#ordered(of, use, of.port) }
  }

  async #start(asked: Asked, use: ProgramUse, signal: AbortSignal): Promise<Start> {
    const { id, release, definition } = asked
    const { ports } = this.#options
    const cwd = await this.folder(release, signal)
    const secrets = { ...(await this.secrets(asked, signal)), ...(await this.#files(asked, signal)) }
    const port = definition.listen === 'none' ? null : await ports.take(id)
    try {
      const words = this.#environment(asked, port)
      const program = { ...asked, words, cwd, callsServices: this.callsServices(release), ...secrets }
      return { spec: { ...programSpec(program, use), ...this.#ordered(asked, use, port) }, port }
    } catch (error) {
      ports.release(id)
      throw error
    }
  }

  /** The order of the controller about the programs of a service; `null`: there is none. */
  order(service: string): SignedContent | null {
    return this.#extras.map((extra) => extra.order?.(service) ?? null).find((one) => one !== null) ?? null
  }

  #ordered({ definition, order }: Asked, { as }: ProgramUse, port: number | null): Pick<InstanceSpec, 'ordered'> {
    const known = order ?? this.order(definition.service)
    return known ? { ordered: { order: known, use: as, port } } : {}
  }

  /** The folder of a release, which it fetches if need be. */
  async folder(release: string, signal: AbortSignal): Promise<string> {
    const { cache, source } = this.#options
    if (!(await cache.has(release))) await cache.fetch(release, source, { signal })
    return cache.open(release, { source, signal })
  }

  async secrets(asked: Program, signal: AbortSignal): Promise<Pick<InstanceSpec, 'secrets'>> {
    for (const extra of this.#extras) {
      const secrets = await extra.secrets?.(asked, signal)
      if (secrets) return { secrets }
    }
    return {}
  }

  async #files(asked: Program, signal: AbortSignal): Promise<Pick<InstanceSpec, 'files'>> {
    for (const extra of this.#extras) {
      const files = await extra.files?.(asked, signal)
      if (files) return { files }
    }
    return {}
  }

  #environment({ definition, ...program }: Asked, port: number | null): ReturnType<typeof instanceEnvironment> {
    const { machine, supervisor, disk, secretsFolder, agentEnv } = this.#options
    const made = supervisor.dataFolder?.(definition.service)
    const data = { dataFolder: made ?? disk.dataFolder(definition.service), isDataMadeLater: made !== undefined }
    const added = Object.assign({}, ...this.#extras.map(({ variables }) => variables?.(program))) as Added // their sum
    const settings = Object.assign({}, ...this.#extras.map((one) => one.settings?.(program))) as Added // their sum
    const about = {
      definition,
      release: program.release,
      instance: program.id,
      machine,
      port,
      secretsFolder,
      ...data,
      added,
      settings,
    }
    return instanceEnvironment(about, agentEnv)
  }
}

type Beside = Asked & { port: number | null }

interface Start {
  spec: InstanceSpec
  port: number | null
}
