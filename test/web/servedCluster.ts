import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Rooms } from '../../src/controller/handlers.ts'
import { Callers } from '../../src/controller/http/callers.ts'
import { buildServer } from '../../src/controller/http/server.ts'
import { LiveOverview } from '../../src/controller/overview/liveOverview.ts'
import { RecentChanges } from '../../src/controller/overview/recentChanges.ts'
import { pastOf } from '../../src/controller/past/past.ts'
import { wholeStatus } from '../../src/controller/statusView.ts'
import { sha256 } from '../../src/lib/hash.ts'
import { Sessions } from '../../src/store/sessions.ts'
import { MemorySessionStore } from '../../src/store/testing/memorySessionStore.ts'
import { MemoryTokenStore } from '../../src/store/testing/memoryTokenStore.ts'
import { Tokens } from '../../src/store/tokens.ts'
import type { Role } from '../../src/store/tokenStore.ts'
import type { Cluster } from '../inProcess/cluster.ts'
import { passTime } from './passTime.ts'

const logger = pino({ level: 'silent' })
const host = '127.0.0.1'

/**
 * Serves a cluster of the in-process tests to browsers: the real controller with its HTTP server, over fake drivers.
 * Virtual time passes `speed` times as fast as real time. Objects, certificates and joining are not there.
 */
export class ServedCluster {
  readonly cluster: Cluster
  readonly port: number
  /** Virtual seconds per second. */
  speed: number
  readonly #tokens: Tokens
  readonly #sessions: Sessions
  readonly #cut: () => void
  readonly #close: () => Promise<void>
  #isCut = false
  #isRunning = true
  readonly #passing: Promise<void>

  static async start(cluster: Cluster, { port = 0, speed = 1 } = {}): Promise<ServedCluster> {
    let made: ServedCluster | null = null
    const { controller, numbers, ...ends } = cluster.parts
    const folder = mkdtempSync(join(tmpdir(), 'tandem-served-'))
    const lastWords = cluster.keepLastWords(folder)
    const rolloutRecords = cluster.recordRollouts(folder)
    const tokens = await Tokens.open(new MemoryTokenStore())
    const sessions = await Sessions.open(new MemorySessionStore(), tokens)
    const usage = { releases: 12, usedBytes: 412_000_000, capBytes: 20_000_000_000 }
    const releases = { depot: { atCap: null }, usage, resolve: (_: string, prefix: string) => prefix }
    const unwritable = (): null => null
    const tails = cluster.tails()
    const checks = cluster.keepChecks()
    const past = pastOf({ controller, snapshots: null, logger })
    const waiting = (): null => null
    const some = {
      controller,
      numbers,
      lastWords,
      tails,
      checks,
      rolloutRecords,
      releases,
      tokens,
      sessions,
      unwritable,
      waiting,
      past,
    }
    // The page makes no call that needs the other rooms, which are files and threads.
    const known = some as unknown as Rooms
    const changes = new RecentChanges(controller)
    const overview = new LiveOverview({
      ...{ controller, changes, numbers, status: () => wholeStatus({ controller, releases, unwritable, waiting }) },
      ...{ checks: () => checks.all, store: () => releases.usage },
    })
    const rooms = { ...known, overview, callers: new Callers(tokens, sessions, controller) }
    const { server } = await buildServer(rooms, logger, null, ends)
    server.server.on('connection', (socket) => {
      if (made?.isCut === true) socket.destroy()
    })
    await server.listen({ host, port })
    const [address] = server.addresses()
    // The first checkups are made 30 s after a start.
    await cluster.clock.advance(31_000)
    const close = async (): Promise<void> => {
      await server.close()
      lastWords.close()
      checks.close()
      rmSync(folder, { recursive: true })
    }
    const cut = (): void => server.server.closeAllConnections()
    const own = { port: typeof address === 'object' ? address.port : port, tokens, sessions, cut, close, speed }
    made = new ServedCluster(cluster, own)
    return made
  }

  private constructor(
    cluster: Cluster,
    given: {
      port: number
      tokens: Tokens
      sessions: Sessions
      cut: () => void
      close: () => Promise<void>
      speed: number
    },
  ) {
    this.cluster = cluster
    this.port = given.port
    this.#tokens = given.tokens
    this.#sessions = given.sessions
    this.#cut = given.cut
    this.#close = given.close
    this.speed = given.speed
    this.#passing = passTime(
      this.cluster.clock,
      () => this.speed,
      () => this.#isRunning,
    )
  }

  /** An address that signs in once; `port`: of another server that passes requests on. */
  async link({
    role = 'operator',
    name = 'mira',
    port = this.port,
  }: { role?: Role; name?: string; port?: number } = {}) {
    const now = this.cluster.controller.now()
    const token = await this.#tokens.create({ role, machine: null, name }, now)
    return `http://tandem.localhost:${port}/#open=${this.#sessions.link(sha256(token), now).link}`
  }

  /** While it is, connections break at once, and none can be made. */
  get isCut(): boolean {
    return this.#isCut
  }

  set isCut(isCut: boolean) {
    this.#isCut = isCut
    if (isCut) this.#cut()
  }

  async close(): Promise<void> {
    this.#isRunning = false
    await this.#passing
    await this.#close()
  }
}
