import { Pair } from '../test/lab/pair.ts'
import { whyNoLab } from '../test/lab/requirements.ts'
import { Workshop } from '../test/lab/workshop.ts'
import { cpuSecondsIn, ownMegabytesIn, residentMegabytesIn } from './processCost.ts'

/*
 * Cost of Tandem on an idle machine: resident memory and CPU time of each part over a minute, with the given numbers of
 * services (`SERVICES`, 10 and then 50), each in a separate unit that is probed as usual. Measures the shipped Debian
 * package, with keepalived, guard and HAProxy.
 */

const counts = (process.env['SERVICES'] ?? '10,50').split(',').map(Number)
const idleSeconds = Number(process.env['SECONDS_IDLE'] ?? 60)
const settleSeconds = Number(process.env['SECONDS_SETTLE'] ?? 60)
const units = ['tandem-agent', 'tandem-guard', 'tandem-keepalived', 'tandem-haproxy']
/** A small service, so that the bench measures Tandem: fifty instances on two machines share this computer. */
const program = `require('http').createServer((q, s) => s.end('ok')).listen(process.env.PORT, process.env.HOST)`

const why = whyNoLab()
if (why) {
  console.error(`bench-machine boots machines and cannot here: ${why}`)
  process.exit(1)
}
const workshop = new Workshop('machine')
try {
  const debianPackage = await workshop.debianPackage()
  const drivers = '{ supervisor: systemd, balancer: haproxy, address: keepalived }'
  const pair = await Pair.open({ debianPackage, drivers, more: 'addresses: [10.77.0.50]\n' })
  try {
    let services = 0
    for (const count of counts) {
      for (; services < count; services++) await pushOne(pair, services)
      await measure(pair, services)
    }
  } finally {
    await pair.close()
  }
} finally {
  workshop.close()
}

async function pushOne(pair: Pair, index: number): Promise<void> {
  const name = `web${index}`
  const text = `service: ${name}\nrun: [node, -e, ${JSON.stringify(program)}]\nroutes: [{ path: /${name} }]\nstop: { within: 1s }\n`
  await pair.roll(name, text)
}

async function measure(pair: Pair, services: number): Promise<void> {
  const machine = pair.lab.machine('a')
  const read = (pid: string, file: string): Promise<string> => machine.must(['cat', `/proc/${pid}/${file}`])
  await new Promise((resolve) => setTimeout(resolve, settleSeconds * 1000))
  const pids = await Promise.all(
    units.map(async (unit) => (await machine.must(['systemctl', 'show', '-P', 'MainPID', unit])).trim()),
  )
  const before = await Promise.all(pids.map((pid) => read(pid, 'stat')))
  await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000))
  console.log(
    `${services} services on a machine, idle for ${idleSeconds} s\npart                resident MB  of it its own    CPU %`,
  )
  for (const [index, pid] of pids.entries()) {
    const seconds = cpuSecondsIn(await read(pid, 'stat')) - cpuSecondsIn(before[index] ?? '')
    const status = await read(pid, 'status')
    const [memory, own] = [residentMegabytesIn(status).toFixed(1), ownMegabytesIn(status).toFixed(1)]
    console.log(
      `${(units[index] ?? '').padEnd(18)} ${memory.padStart(12)} ${own.padStart(14)} ${((seconds / idleSeconds) * 100).toFixed(2).padStart(8)}`,
    )
  }
}
