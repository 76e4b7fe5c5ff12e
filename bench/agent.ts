import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from '../packaging/bundle.ts'
import { Laptop } from '../test/system/laptop.ts'
import type { Pushed } from '../test/system/rollUnderLoad.ts'
import { cpuSecondsIn, residentMegabytesIn } from './processCost.ts'

/*
 * Cost of an idle agent: resident memory and CPU time over half a minute, with ten instances on its machine (each a
 * separate process, probed every 2 s). Also prints the controller's figures. Measures the shipped bundle; with
 * `SOURCES=1` the checkout's TypeScript, which takes some 10 MB more for type stripping and separate modules.
 */

const idleSeconds = Number(process.env['SECONDS_IDLE'] ?? 30)
const settleSeconds = Number(process.env['SECONDS_SETTLE'] ?? 60)

const main = process.env['SOURCES'] ? undefined : (await bundle(join(import.meta.dirname, '../tmp/bundle'))).main
const laptop = await Laptop.start(main ? { main } : {})
try {
  for (let index = 0; index < 10; index++) {
    const name = `web${index}`
    const pushed = await laptop.json<Pushed>('push', laptop.service(name, `service: ${name}\nrun: [node, web.mjs]\n`))
    if (pushed.exit !== 0) throw new Error(`push failed: ${JSON.stringify(pushed)}`)
  }
  const parts = {
    'agent of a': laptop.pidOf('a'),
    'agent of b': laptop.pidOf('b'),
    controller: laptop.pidOf('controller'),
  }
  console.log('waiting until the agents have returned the memory of the rollouts')
  await new Promise((resolve) => setTimeout(resolve, settleSeconds * 1000))
  const before = Object.entries(parts).map(([name, pid]) => ({ name, pid, cpu: cpuSeconds(pid) }))
  await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000))
  console.log(
    `ten instances on each machine, idle for ${idleSeconds} s, run from ${main ? 'the bundle' : 'the sources'}`,
  )
  console.log('process          resident MB    CPU %')
  for (const { name, pid, cpu } of before) {
    const percent = ((cpuSeconds(pid) - cpu) / idleSeconds) * 100
    console.log(
      `${name.padEnd(16)} ${residentMegabytes(pid).toFixed(1).padStart(11)} ${percent.toFixed(2).padStart(8)}`,
    )
  }
} finally {
  await laptop.remove()
}

function cpuSeconds(pid: number): number {
  return cpuSecondsIn(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

function residentMegabytes(pid: number): number {
  return residentMegabytesIn(readFileSync(`/proc/${pid}/status`, 'utf8'))
}
