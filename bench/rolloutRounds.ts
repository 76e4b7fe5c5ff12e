import type { Laptop } from '../test/system/laptop.ts'
import { Load } from '../test/system/load.ts'
import type { Pushed } from '../test/system/rollUnderLoad.ts'
import { rolloutCost, type RolloutCost } from './rolloutCost.ts'

interface Rounds {
  costs: RolloutCost[]
  requests: number
  failed: number
}

/** Rolls out the service `web`, again and again, under a light load of short requests. */
export async function rolloutRounds(laptop: Laptop, rounds: number): Promise<Rounds> {
  await pushWeb(laptop, 0)
  const load = new Load({ entries: Object.values(laptop.entries), perSecond: 50, shortOnly: true })
  load.start()
  const costs: RolloutCost[] = []
  for (let round = 1; round <= rounds; round++) {
    const position = await positionOf(laptop)
    const pushed = await pushWeb(laptop, round)
    const events = await laptop.run('events', '--json', '--after', String(position))
    const logs = await laptop.run('logs', 'web', '--json', '--since', '1m')
    costs.push(rolloutCost(pushed, events.out, logs.out))
  }
  const { failures, requests } = await load.stop()
  return { costs, requests, failed: failures.length }
}

async function positionOf(laptop: Laptop): Promise<number> {
  const status = await laptop.json<{ controller: { position: number } }>('status') // the documented type
  return status.controller.position
}

async function pushWeb(laptop: Laptop, version: number): Promise<Pushed> {
  const text = `service: web\nrun: [node, web.mjs]\nenv: { VERSION: "${version}" }\n`
  const pushed = await laptop.json<Pushed>('push', laptop.service('web', text))
  if (pushed.exit !== 0) throw new Error(`push failed: ${JSON.stringify(pushed)}`)
  return pushed
}
