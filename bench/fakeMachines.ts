import { join } from 'node:path'
import { httpConnection } from '../src/agent/httpConnection.ts'
import { ApiClient } from '../src/api/client.ts'
import { every } from '../src/lib/clock.ts'
import { openDatabase } from '../src/store/database.ts'
import { SqliteEventLog } from '../src/store/sqliteEventLog.ts'
import { Cluster, releaseOf } from '../test/inProcess/cluster.ts'
import { passTime } from '../test/web/passTime.ts'
import type { Connected, FakeMachinesOptions } from './pageCluster.ts'

/*
 * A process of `PageCluster`: real agents over fake drivers. It rolls the services out in a cluster in memory and on
 * virtual time, writes that cluster's event log into a database, and then goes on as the machines of the controller
 * that was started on it, over HTTP and as fast as real time.
 */

/** Longer than the rollouts take on virtual time. */
const historyMs = 3_600_000

const { machines, services, folder } = JSON.parse(process.argv[2] ?? '') as FakeMachinesOptions // from `PageCluster`
const cluster = await Cluster.start({ machines })
cluster.clock.jump(Date.now() - historyMs - cluster.clock.now())
const names = Array.from({ length: services }, (_, index) => `service-${String(index).padStart(2, '0')}`)
const rollouts: string[] = []
for (const [index, service] of names.entries()) {
  const routes = [{ host: `${service}.example`, path: '/' }]
  await cluster.publish(`${index}`, { service, routes })
  const rollout = await cluster.start(service, releaseOf(`${index}`))
  if (rollout) rollouts.push(rollout.id)
}
for (const rollout of rollouts) await cluster.finished(rollout)
await cluster.rest()
const log = new SqliteEventLog(openDatabase(join(folder, 'controller.db')))
for (const { position, at, ...event } of cluster.events()) await log.append(position - 1, [event], Date.parse(at))
await log.close()
cluster.killController()
cluster.clock.jump(Date.now() - cluster.clock.now())
process.send?.('written')

process.once('message', ({ url, tokens }: Connected) => {
  for (const machine of cluster.machines.values()) {
    machine.killAgent()
    const connection = httpConnection(new ApiClient({ url, token: tokens[machine.name] ?? '' }))
    machine.line.connection = () => connection
    void machine.startAgent()
  }
  every(cluster.clock, 1_000, traffic)
  void passTime(cluster.clock)
})
process.once('disconnect', () => process.exit())

/** Every instance answers requests, and every number of a reading differs from the one before. */
function traffic(): void {
  for (const machine of cluster.machines.values()) {
    machine.load = loadOf(machine.load)
    for (const { id, service } of machine.running()) {
      machine.balancer.answers(id, service, 200, Math.floor(200 * cluster.random()))
      if (cluster.random() < 0.1) machine.balancer.answers(id, service, 500, 1)
      machine.balancer.setInFlight(id, { work: Math.floor(20 * cluster.random()), long: 0 })
    }
  }
}

type Load = Cluster['machines'] extends Map<string, infer M extends { load: unknown }> ? M['load'] : never

function loadOf({ cpu }: Load): Load {
  const [busyMs, totalMs] = [(cpu?.busyMs ?? 0) + 1_000 * cluster.random(), (cpu?.totalMs ?? 0) + 1_000]
  return {
    cpu: { busyMs, totalMs },
    memory: { totalBytes: 2 ** 33, availableBytes: 2 ** 32 * (1 + cluster.random()) },
    disk: { totalBytes: 2 ** 36, freeBytes: 2 ** 35 },
  }
}
