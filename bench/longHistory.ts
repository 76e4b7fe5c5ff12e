import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { controllerOn, deploy, obey, publishIn, aReport } from '../src/controller/testing/given.ts'
import { aDefinition } from '../src/definitions/testing/aDefinition.ts'
import type { Event } from '../src/events/event.ts'
import { sha256 } from '../src/lib/hash.ts'
import { openDatabase } from '../src/store/database.ts'
import { SqliteEventLog } from '../src/store/sqliteEventLog.ts'
import { MemoryEventLog } from '../src/store/testing/memoryEventLog.ts'

/*
 * The event log of a busy cluster: services of a pair that were published, rolled out and collected again and again, and
 * were removed at the end. One service's rollouts are really decided; its events are repeated with other names.
 */

const services = 10
const batch = 2_000
const machines = ['a', 'b']
const yearMs = 365 * 86_400_000

const releaseOf = (number: number): string => String(number).repeat(64)

interface Template {
  begin: Event[]
  /** Publishes and deploys releases 1 and 2. */
  first: Event[]
  /** Publishes and deploys release 3, and collects release 1. */
  next: Event[]
  /** Removes the service. */
  last: Event[]
}

/** Writes at least `count` events into a new database of a laptop's controller. Returns their number. */
export async function writeLongHistory(path: string, count: number): Promise<number> {
  mkdirSync(dirname(path), { recursive: true })
  const database = openDatabase(path)
  // The history is disposable: a crash may lose it.
  database.exec('PRAGMA synchronous=OFF')
  const log = new SqliteEventLog(database)
  const { begin, first, next, last } = await template()
  let [position, pending] = [0, [...begin]]
  const flush = async (): Promise<void> => {
    const at = Date.now() - yearMs * Math.max(0, 1 - position / count)
    position += (await log.append(position, pending, at)).length
    pending = []
  }
  const add = async (events: Event[], later: number): Promise<void> => {
    for (let index = 0; index < services; index++) pending.push(...named(events, `old${index}`, later))
    if (pending.length >= batch) await flush()
  }
  await add(first, 0)
  let later = 0
  for (; position + pending.length + last.length * services < count; later++) await add(next, later)
  await add(last, Math.max(0, later - 1))
  await flush()
  await log.close()
  return position
}

/** The template's events for another service, and with its releases and rollouts `later` ones. */
function named(events: Event[], service: string, later: number): Event[] {
  const text = JSON.stringify(events)
    .replaceAll('SERVICE', service)
    .replaceAll(/rollout-([0-9])/g, (_, number: string) => `${service}-${Number(number) + later}`)
    .replaceAll(/([0-9])\1{63}/g, (_, number: string) => sha256(`${service} ${Number(number) + later}`))
  return JSON.parse(text) as Event[] // made of events
}

async function template(): Promise<Template> {
  const log = new MemoryEventLog()
  const controller = await controllerOn(log)
  let [seq, from] = [0, 0]
  const recorded = async (): Promise<Event[]> => {
    const events = await log.read(from, 10_000)
    from = await log.position()
    return events.map(({ type, data }) => ({ type, data }) as Event) // as it was recorded
  }
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 20; round++) await obey(controller, machines, () => ++seq)
  }
  const roll = async (number: number): Promise<void> => {
    const definition = aDefinition({ service: 'SERVICE', env: { VERSION: String(number) } })
    await publishIn(controller, releaseOf(number), definition)
    await deploy(controller, `rollout-${number}`, releaseOf(number), 'SERVICE')
    await settle()
  }
  await controller.lead()
  for (const machine of machines) await controller.report(aReport({ machine, seq: ++seq }))
  const begin = await recorded()
  await roll(1)
  await roll(2)
  const first = await recorded()
  await roll(3)
  await controller.execute({ type: 'CollectReleases', releases: [releaseOf(1)] })
  const next = await recorded()
  const remove = { type: 'StartRollout', rollout: 'rollout-4', service: 'SERVICE', kind: 'remove' } as const
  await controller.execute({ ...remove, release: null, allowOutage: false, removeData: false })
  await settle()
  const last = await recorded()
  await controller.close()
  return { begin, first, next, last }
}
