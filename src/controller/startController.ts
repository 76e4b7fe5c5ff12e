import { join } from 'node:path'
import type { Server } from 'node:tls'
import type { Logger } from 'pino'
import { every, systemClock } from '../lib/clock.ts'
import { randomId } from '../lib/ids.ts'
import type { Checkup } from '../protocol/checkup.ts'
import type { ReleaseStore } from '../releases/releaseStore.ts'
import type { Config } from '../decision/base.ts'
import { openDatabase } from '../store/database.ts'
import { SqliteEventLog } from '../store/sqliteEventLog.ts'
import { Joins } from '../store/joins.ts'
import { SqliteJoinStore } from '../store/sqliteJoinStore.ts'
import { Snapshots } from '../store/snapshots.ts'
import { SqliteSnapshotStore } from '../store/sqliteSnapshotStore.ts'
import { Sessions } from '../store/sessions.ts'
import { SqliteSessionStore } from '../store/sqliteSessionStore.ts'
import { SqliteTokenStore } from '../store/sqliteTokenStore.ts'
import { Tokens } from '../store/tokens.ts'
import type { TokenHolder } from '../store/tokenStore.ts'
import { ClusterAuthority } from './clusterAuthority.ts'
import { Controller } from './controller.ts'
import { foldLog } from './foldLog.ts'
import { foldVersion } from './foldVersion.ts'
import {
  closeFeatureRooms,
  featureCheckup,
  featureProgress,
  makeFeatureRooms,
  startFeatureRooms,
  startFeatures,
  type FeatureOptions,
} from './features.ts'
import { SnapshotTaker, snapshotEvery } from './snapshotTaker.ts'
import { wholeStatus } from './statusView.ts'
import { whyUnwritable } from './whyUnwritable.ts'
import { adoptWhenRestored, restoredId, whyWaiting } from './restored.ts'
import { Callers } from './http/callers.ts'
import { askCheckup } from './http/checkups.ts'
import { buildServer } from './http/server.ts'
import { listen } from './listen.ts'
import { Membership } from './membership.ts'
import { LiveOverview } from './overview/liveOverview.ts'
import { RecentChanges } from './overview/recentChanges.ts'
import { ReleaseCollector } from './releaseCollector.ts'
import { ReleaseRoom } from './releaseRoom.ts'
import { tlsOptions, watchConnections } from './secureListener.ts'

/** A stream ends at most this much later than the session of its reader. */
const expiredEveryMs = 4_000

export interface ControllerOptions extends FeatureOptions {
  config: Config
  data: string
  host: string
  port: number
  version: string
  /** The controller's own checkup. */
  examine: () => Promise<Checkup>
  logger: Logger
  store: ReleaseStore
  /** Largest size of the release store in bytes; `null`: no cap. */
  storeCapBytes: number | null
  /** Tokens made elsewhere that this controller accepts. */
  admit: { token: string; identity: TokenHolder }[]
}

export interface RunningController {
  url: string
  close: () => Promise<void>
}

/** Wires the controller together and listens. On failure, closes everything that it opened. */
export async function startController(options: ControllerOptions): Promise<RunningController> {
  const { config, data, host, port, version, logger, store, storeCapBytes } = options
  await using opened = new AsyncDisposableStack()
  const database = opened.adopt(openDatabase(join(data, 'controller.db')), (one) => {
    if (one.isOpen) one.close()
  })
  const tokens = await Tokens.open(new SqliteTokenStore(database))
  for (const { token, identity } of options.admit) await tokens.admit(token, identity, systemClock.now())
  const log = new SqliteEventLog(database)
  const authority = ClusterAuthority.open(data)
  const identity = (): ClusterAuthority['identity'] | null => authority?.identity ?? null
  const snapshots = new Snapshots({
    ...{ store: new SqliteSnapshotStore(database), version: foldVersion, every: snapshotEvery },
    unusable: (position, err) => logger.warn({ err, position }, 'ignored a snapshot of the state that cannot be used'),
  })
  const { fold, since } = await foldLog(log, config, snapshots, featureProgress(options, systemClock))
  const controller = new Controller({
    ...{ config, log, fold, clock: systemClock, logger, version, newId: () => randomId(), identity },
    restored: restoredId(data),
  })
  opened.defer(() => controller.close())
  const taker = new SnapshotTaker({ controller, snapshots, logger, last: since })
  opened.defer(() => taker.close())
  const releases = new ReleaseRoom({ controller, store, clock: systemClock, capBytes: storeCapBytes })
  const running = await startFeatures({ controller, releases, logger, options })
  opened.defer(() => running.close())
  const collector = new ReleaseCollector(controller, releases, logger)
  opened.defer(() => collector.close())
  const sessions = await Sessions.open(new SqliteSessionStore(database), tokens)
  const callers = new Callers(tokens, sessions, controller)
  opened.defer(
    every(systemClock, expiredEveryMs, () => {
      callers.cutExpired()
      sessions
        .prune(systemClock.now())
        .catch((err: unknown) => logger.error({ err }, 'could not remove ended sessions'))
    }),
  )
  const membership = new Membership({ controller, joins: new Joins(new SqliteJoinStore(database)), authority })
  const unwritable = (): string | null => whyUnwritable(controller.unwritable, data)
  const waiting = (): string | null => whyWaiting(controller)
  const own = makeFeatureRooms({
    ...{ controller, logger, data, snapshots, database, options },
  })
  opened.defer(() => closeFeatureRooms(own))
  const changes = new RecentChanges(controller)
  const overview = new LiveOverview({
    ...{ controller, changes, numbers: own.numbers, checks: () => own.checks.all, store: () => releases.usage },
    status: () => wholeStatus({ controller, releases, unwritable, waiting }),
  })
  const examine = async (): Promise<Checkup> => featureCheckup(await options.examine(), controller, own, asks)
  const rooms = {
    controller,
    releases,
    overview,
    tokens,
    sessions,
    callers,
    membership,
    ...own,
    examine,
    unwritable,
    waiting,
  }
  const { server, links, channels, asks } = await buildServer(rooms, logger, authority && tlsOptions(authority))
  opened.defer(async () => {
    links.closeAll()
    channels.closeAll()
    await server.close()
  })
  if (authority) {
    const secure = server.server as unknown as Server // Fastify derives its type from the options it was built with
    opened.defer(watchConnections({ server: secure, controller, authority, callers, logger, clock: systemClock }))
  }
  await controller.lead()
  opened.defer(adoptWhenRestored(controller, data, logger))
  const listening = await listen(server, { host, port })
  opened.defer(() => listening.close())
  running.listening()
  startFeatureRooms(...([own, { asks, channels }] as const), {
    own: examine,
    ofMachine: (machine, signal) => askCheckup(controller, asks, machine, signal),
  })
  const all = opened.move()
  return {
    url: `http${authority ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${listening.port}`,
    close: () => all.disposeAsync(),
  }
}
