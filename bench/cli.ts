import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Laptop } from '../test/system/laptop.ts'
import { median, quantile } from './median.ts'

/* Wall time of `./tandem status` with a running controller, including the launcher, compared with an empty `node`. */

const rounds = Number(process.env['ROUNDS'] ?? 15)
const tandem = join(import.meta.dirname, '../tandem')

const laptop = await Laptop.start()
try {
  await laptop.json('push', laptop.service('web', 'service: web\nrun: [node, web.mjs]\n'))
  const times = { status: [] as number[], nothing: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    const [status, nothing] = [await time(tandem, ['status']), await time(process.execPath, ['-e', '0'])]
    // The first run is the warm-up.
    if (round > 0) times.status.push(status)
    if (round > 0) times.nothing.push(nothing)
  }
  console.log(`${rounds} alternating runs; ms of wall time        median      p90`)
  for (const [name, values] of [
    ['./tandem status', times.status],
    ['node that does nothing', times.nothing],
  ] as const) {
    console.log(
      `${name.padEnd(38)} ${median(values).toFixed(0).padStart(12)} ${quantile(values, 0.9).toFixed(0).padStart(8)}`,
    )
  }
} finally {
  await laptop.remove()
}

async function time(program: string, args: string[]): Promise<number> {
  const startedAt = performance.now()
  const child = spawn(program, args, { env: laptop.env, stdio: 'ignore' })
  const [code] = (await once(child, 'exit')) as [number] // the arguments of 'exit'
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`)
  return performance.now() - startedAt
}
