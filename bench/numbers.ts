import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { machineLoad } from '../src/agent/numbers/machineLoad.ts'
import { machineNumbers } from '../src/agent/numbers/machineNumbers.ts'
import { BalancerLab, httpRoute } from '../src/drivers/balancer/balancerLab.ts'
import { HaproxyLab } from '../src/drivers/balancer/haproxy/haproxyLab.ts'
import { machineNumbersSchema } from '../src/protocol/numbers.ts'
import { cpuSecondsIn } from './processCost.ts'

/*
 * CPU time of one reading of live numbers on a machine with HAProxy and many services, each with one instance here and
 * one other machine: in the agent, and in HAProxy. `make bench-numbers SERVICES=50 READINGS=100`.
 */

const services = Number(process.env['SERVICES'] ?? 50)
const readings = Number(process.env['READINGS'] ?? 100)
/** Between readings: caches and the compiler are as cold as in an agent that rests. */
const pauseMs = Number(process.env['PAUSE_MS'] ?? 300)

const lab = new BalancerLab()
try {
  const machines = new HaproxyLab(lab)
  // Checks of servers are not measured.
  const a = await machines.machine('a', { limits: { checkMs: 3_600_000, failedCheckMs: 3_600_000 } })
  const x = await machines.instance('x')
  const peer = { machine: 'b', host: '127.0.0.1', port: 1 }
  await a.route(
    ...Array.from({ length: services }, (_, index) => {
      const target = { ...x.active, instance: `service-${index}-1` }
      return httpRoute({ service: `service-${index}`, path: `/${index}`, targets: [target], peers: [peer] })
    }),
  )
  const worker = (await machines.workerOf('a')) ?? 0
  const read = async (): Promise<string> => {
    const numbers = await machineNumbers({ balancer: a.balancer, running: () => [], load: () => machineLoad('/tmp') })
    return JSON.stringify(machineNumbersSchema.parse(numbers))
  }
  let bytes = 0
  for (let reading = 0; reading < 20; reading += 1) bytes = (await read()).length
  const [agentBefore, haproxyBefore] = [process.cpuUsage(), cpuOf(worker)]
  for (let reading = 0; reading < readings; reading += 1) {
    await read()
    await sleep(pauseMs)
  }
  const { user, system } = process.cpuUsage(agentBefore)
  const agentMs = (user + system) / 1_000 / readings
  const haproxyMs = ((cpuOf(worker) - haproxyBefore) * 1_000) / readings
  console.log(`${services} services, ${readings} readings of ${bytes} bytes`)
  console.log('                ms a reading   % of a processor at 10 s   at 2 s')
  for (const [name, ms] of [
    ['agent', agentMs],
    ['HAProxy', haproxyMs],
    ['together', agentMs + haproxyMs],
  ] as const) {
    const percent = (interval: number): string => ((ms / interval) * 100).toFixed(3)
    console.log(
      `${name.padEnd(15)} ${ms.toFixed(2).padStart(12)} ${percent(10_000).padStart(26)} ${percent(2_000).padStart(8)}`,
    )
  }
} finally {
  await lab.close()
}

function cpuOf(pid: number): number {
  return cpuSecondsIn(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}
