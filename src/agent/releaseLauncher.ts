import type { Definition } from '../definitions/definition.ts'
import type { InstanceSpec, SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import type { ReleaseCache } from '../releases/releaseCache.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import type { AgentDisk } from './agentDisk.ts'
import { instanceEnvironment } from './instanceEnvironment.ts'
import type { InstancePorts } from './ports.ts'
import { proberArgv } from './probing/prober.ts'
import { resolveExecutable } from '../drivers/supervisor/process/executable.ts'

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
  callsServices?: (release: string) => boolean
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
  instance(asked: Asked, signal: AbortSignal): Promise<Start> {
    return this.#spec(asked, signal, ({ argv }) => argv, {})
  }

  /** The same for a program that ends on its own: the `prepare` of the release, or any command. */
  oneOff(asked: Asked, command: 'prepare' | string[], signal: AbortSignal): Promise<Start> {
    return this.#spec(asked, signal, ({ prepare }) => (command === 'prepare' ? (prepare ?? []) : command), {
      once: true,
    })
  }

  /**
   * A program that a person runs beside an instance, with the environment that the instance has. Takes no port.
   * `access` is its id.
   */
  async beside(access: string, of: Asked & { port: number | null }, argv: string[], signal: AbortSignal) {
    const { source, cache } = this.#options
    const { id, release, definition } = of
    const cwd = await cache.open(release, { source, signal })
    const { env } = this.#environment(of, of.port)
    const { service, limits } = definition
    const beside = { instance: id, env: { TANDEM_ACCESS: access } }
    const spec: InstanceSpec = {
      id: access,
      service,
      release,
      argv,
      env,
      cwd,
      limits,
      stop: besideStop,
      once: true,
      beside,
    }
    return spec
  }

  /** Runs the command of `health` for each line that it reads, beside the instance. `prober` is its id. */
  async prober(prober: string, of: Asked & { port: number | null }, signal: AbortSignal): Promise<InstanceSpec> {
    const { env, healthCommand } = this.#environment(of, of.port)
    const spec = await this.beside(prober, of, [], signal)
    const [name, ...args] = healthCommand ?? []
    const command = [resolveExecutable([name ?? ''], env, spec.cwd), ...args]
    return { ...spec, argv: proberArgv(command), attached: true, stop: proberStop }
  }

  async #spec(asked: Asked, signal: AbortSignal, argvOf: ArgvOf, { once }: { once?: true }): Promise<Start> {
    const { id, release, definition } = asked
    const { cache, source, ports } = this.#options
    if (!(await cache.has(release))) await cache.fetch(release, source, { signal })
    const cwd = await cache.open(release, { source, signal })
    const { service, limits, stop, jail, health } = definition
    const secrets = await this.#secrets(asked, signal)
    const port = definition.listen === 'none' ? null : await ports.take(id)
    try {
      const { env, ...words } = this.#environment(asked, port)
      // Only the service itself sends a readiness notification; a one-off program does not.
      const notify = definition.notify && !once ? { ...definition.notify, withinMs: health.withinMs } : undefined
      const calls = this.callsServices(release) ? { callsServices: true } : {}
      const bounds = { limits, stop, jail, notify, ...calls, ...secrets, ...(once ? { once } : {}) }
      return { spec: { id, service, release, argv: argvOf({ env, ...words }), env, cwd, ...bounds }, port }
    } catch (error) {
      ports.release(id)
      throw error
    }
  }

  async #secrets(asked: Asked, signal: AbortSignal): Promise<Pick<InstanceSpec, 'secrets'>> {
    for (const extra of this.#extras) {
      const secrets = await extra.secrets?.(asked, signal)
      if (secrets) return { secrets }
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

/** A shell ends when its terminal hangs up; what it started has as long as the shell. */
const besideStop = { signal: 'SIGHUP', withinMs: 2_000 } as const

/** A command has no state to save. */
const proberStop = { signal: 'SIGKILL', withinMs: 0 } as const

type ArgvOf = (expanded: ReturnType<typeof instanceEnvironment>) => string[]

interface Start {
  spec: InstanceSpec
  port: number | null
}
