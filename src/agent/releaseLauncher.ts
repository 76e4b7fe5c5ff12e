import type { Definition } from '../definitions/definition.ts'
import type {
  ExitStatus,
  InstanceSpec,
  ProgramStreams,
  Started,
  SupervisorDriver,
} from '../drivers/supervisor/supervisor.ts'
import type { ReleaseCache } from '../releases/releaseCache.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import type { AgentDisk } from './agentDisk.ts'
import { instanceEnvironment } from './instanceEnvironment.ts'
import type { InstancePorts } from './ports.ts'

interface Options {
  machine: string
  supervisor: SupervisorDriver
  cache: ReleaseCache
  source: ReleaseSource
  ports: InstancePorts
  disk: AgentDisk
  secretsFolder: string | null
  agentEnv: NodeJS.ProcessEnv
}

interface Asked {
  id: string
  release: string
  definition: Definition
}

/**
 * Gathers what is needed to start a program of a release on this machine, and runs one-off programs from start to end.
 */
export class ReleaseLauncher {
  #options: Options
  #waiting = new Map<string, (exit: ExitStatus) => void>()
  /** Releases of one-off programs that run or are about to, by the id of the program. */
  #releases = new Map<string, string>()

  constructor(options: Options) {
    this.#options = options
  }

  /** Fetches and verifies the release, takes a port, expands arguments and environment. */
  instance(asked: Asked, signal: AbortSignal): Promise<Start> {
    return this.#spec(asked, signal, ({ argv }) => argv, {})
  }

  prepare(asked: Asked, signal: AbortSignal): Promise<Start> {
    return this.#oneOff(asked, signal, ({ prepare }) => prepare ?? [])
  }

  command(asked: Asked, argv: string[], signal: AbortSignal): Promise<Start> {
    return this.#oneOff(asked, signal, () => argv)
  }

  /** Prepares a command whose standard streams belong to the caller. */
  async attached(asked: Asked, argv: string[], signal: AbortSignal): Promise<Start> {
    const { spec, port } = await this.command(asked, argv, signal)
    return { spec: { ...spec, attached: true }, port }
  }

  /**
   * Starts a one-off program; `ended` resolves with its exit status. When `signal` aborts, the program gets its stop
   * signal.
   */
  async begin({ spec }: Start, signal: AbortSignal): Promise<Begun> {
    const { supervisor, ports } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>()
    const stop = (): void => void supervisor.stop(spec.id).catch(reject)
    const over = (): void => {
      signal.removeEventListener('abort', stop)
      this.#waiting.delete(spec.id)
      this.#releases.delete(spec.id)
      ports.release(spec.id)
    }
    this.#waiting.set(spec.id, resolve)
    let started: Started
    try {
      started = await supervisor.start(spec)
    } catch (error) {
      over()
      throw error
    }
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const ended = promise.finally(over)
    ended.catch(() => {}) // a caller that awaits it gets the error; there may be none yet
    return { ended, ...(started.streams ? { streams: started.streams } : {}) }
  }

  exited(exit: ExitStatus): void {
    this.#waiting.get(exit.id)?.(exit)
  }

  /** Releases that one-off programs need: they must not be collected, even if other releases are deployed meanwhile. */
  releasesInUse(): Iterable<string> {
    return this.#releases.values()
  }

  async #oneOff(asked: Asked, signal: AbortSignal, argvOf: ArgvOf): Promise<Start> {
    this.#releases.set(asked.id, asked.release)
    try {
      return await this.#spec(asked, signal, argvOf, { once: true })
    } catch (error) {
      this.#releases.delete(asked.id)
      throw error
    }
  }

  async #spec(asked: Asked, signal: AbortSignal, argvOf: ArgvOf, { once }: { once?: true }): Promise<Start> {
    const { id, release, definition } = asked
    const { machine, supervisor, cache, source, ports, disk, secretsFolder, agentEnv } = this.#options
    if (!(await cache.has(release))) await cache.fetch(release, source, { signal })
    const cwd = await cache.open(release, { source, signal })
    const { service, limits, stop, jail, health } = definition
    const port = definition.listen === 'none' ? null : await ports.take(id)
    try {
      const made = supervisor.dataFolder?.(service)
      const data = { dataFolder: made ?? disk.dataFolder(service), isDataMadeLater: made !== undefined }
      const about = { definition, release, instance: id, machine, port, secretsFolder, ...data }
      const { env, ...words } = instanceEnvironment(about, agentEnv)
      // Only the service itself sends a readiness notification; a one-off program does not.
      const notify = definition.notify && !once ? { ...definition.notify, withinMs: health.withinMs } : undefined
      const bounds = { limits, stop, jail, notify, ...(once ? { once } : {}) }
      return { spec: { id, service, release, argv: argvOf({ env, ...words }), env, cwd, ...bounds }, port }
    } catch (error) {
      ports.release(id)
      throw error
    }
  }
}

type ArgvOf = (expanded: ReturnType<typeof instanceEnvironment>) => string[]

interface Begun {
  ended: Promise<ExitStatus>
  /** Streams of an attached program. */
  streams?: ProgramStreams
}

interface Start {
  spec: InstanceSpec
  port: number | null
}
