import { Laptop } from '../test/system/laptop.ts'
import { printRolloutCosts } from './rolloutCost.ts'
import { rolloutRounds } from './rolloutRounds.ts'

/*
 * The fixed cost of a rollout over two machines: the time from the accepted publish until both machines are done, minus
 * the service's own times: boot (from exec to listening, from its log) and real drain (until the last old request has
 * ended). Measured under a light load of short requests, so that there are requests to drain.
 */

const rounds = Number(process.env['ROUNDS'] ?? 15)

const laptop = await Laptop.start()
try {
  const { costs, requests, failed } = await rolloutRounds(laptop, rounds)
  console.log(`rollouts of two machines: ${rounds}, requests meanwhile: ${requests}, failed: ${failed}`)
  printRolloutCosts(costs)
} finally {
  await laptop.remove()
}
