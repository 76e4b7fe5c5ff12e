import { Laptop } from '../test/system/laptop.ts'
import { Load } from '../test/system/load.ts'
import type { Pushed } from '../test/system/rollUnderLoad.ts'
import { printRolloutCosts, rolloutCost, type RolloutCost } from './rolloutCost.ts'

/*
 * The fixed cost of a rollout over two machines: the time from the accepted publish until both machines are done, minus
 * the service's own times: boot (from exec to listening, from its log) and real drain (until the last old request has
 * ended). Measured under a light load of short requests, so that there are requests to drain.
 */

const rounds = Number(process.env['ROUNDS'] ?? 15)

const laptop = await Laptop.start()
try {
  await push(0)
  const load = new Load({ entries: Object.values(laptop.entries), perSecond: 50, shortOnly: true })
  load.start()
  const costs: RolloutCost[] = []
  for (let round = 1; round <= rounds; round++) {
    const pushed = await push(round)
    const events = await laptop.run('events', '--json')
    const logs = await laptop.run('logs', 'web', '--json', '--since', '1m')
    costs.push(rolloutCost(pushed, events.out, logs.out))
  }
  const { failures, requests } = await load.stop()
  console.log(`rollouts of two machines: ${rounds}, requests meanwhile: ${requests}, failed: ${failures.length}`)
  printRolloutCosts(costs)
} finally {
  await laptop.remove()
}

async function push(version: number): Promise<Pushed> {
  const text = `service: web\nrun: [node, web.mjs]\nenv: { VERSION: "${version}" }\n`
  const pushed = await laptop.json<Pushed>('push', laptop.service('web', text))
  if (pushed.exit !== 0) throw new Error(`push failed: ${JSON.stringify(pushed)}`)
  return pushed
}
