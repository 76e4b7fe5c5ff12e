import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Jail } from '../../../src/definitions/definition.ts'
import type { InstanceSpec } from '../../../src/drivers/supervisor/supervisor.ts'
import { openSystemdLab } from '../../../src/drivers/supervisor/systemd/systemdLab.ts'
import { unitName } from '../../../src/drivers/supervisor/systemd/unitName.ts'

/*
 * Runs on a machine with cgroup v2, and prints its observations as JSON, which test/lab/cgroup2.test.ts checks. One
 * program makes all of them at the same time, because each program takes seconds to start on an emulated machine.
 */

const node = '/usr/lib/tandem/node'
const withinMs = 150_000
const lookMs = 50
/**
 * A target counts as unreachable if it has not answered this long after one that always answers; the kernel retransmits
 * after 1 s.
 */
const unansweredMs = 4_000
const other = { network: 'other', port: 7000, addresses: ['10.9.0.2', '10.9.0.3'] }
const here = '10.9.0.1'
const memoryBytes = 100 * 1024 * 1024

const lab = await openSystemdLab()
const children: ChildProcess[] = []

async function said(file: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(file, args)).stdout.trim()
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${holds.toString()}`)
    await pause(lookMs)
  }
}

/** Reads files of the instance's control group. Looked up once, because the instance does not move. */
async function groupOf({ service, id }: InstanceSpec): Promise<(file: string) => string> {
  const group = await said('systemctl', 'show', '-P', 'ControlGroup', unitName(service, id))
  return (file) => readFileSync(`/sys/fs/cgroup${group}/${file}`, 'utf8').trim()
}

async function hungry(): Promise<object> {
  // The instance starts its work after the limits have been read.
  const eat = `process.on('SIGUSR2', () => { const kept = []; setInterval(() => kept.push(Buffer.alloc(8e6, 1)), 5) })
    setInterval(() => {}, 1000)
    console.log('up')`
  const spec = lab.spec([node, '-e', eat])
  spec.limits = { ...spec.limits, memoryBytes }
  const up = lab.printed(spec, /^up$/)
  const { pid } = await lab.driver.start(spec)
  await up
  const group = await groupOf(spec)
  const limits = { memory: group('memory.max'), swap: group('memory.swap.max') }
  process.kill(pid, 'SIGUSR2')
  await until(() => lab.restarts.some(({ id }) => id === spec.id))
  const exit = lab.exits.find(({ id }) => id === spec.id)
  const journal = await said('journalctl', '-o', 'cat', '-u', unitName(spec.service, spec.id))
  await lab.driver.stop(spec.id)
  return { ...limits, exit, journal }
}

async function forking(): Promise<object> {
  const spec = lab.spec(['/bin/bash', '-c', 'while :; do sleep 1000 & done'])
  spec.limits = { ...spec.limits, tasks: 20, cpu: 0.5 }
  await lab.driver.start(spec)
  const group = await groupOf(spec)
  let most = 0
  const refused = (): number => Number(/max (\d+)/.exec(group('pids.events'))?.[1])
  // The kernel counts refused forks.
  await until(() => {
    most = Math.max(most, Number(group('pids.current')))
    return refused() > 0
  })
  const limits = { tasks: group('pids.max'), cpu: group('cpu.max') }
  await lab.driver.stop(spec.id)
  return { ...limits, most, alive: lab.driver.isAlive(spec.id) }
}

/**
 * `asked` connects to each target, and reports those that answered until some time after the target on loopback did.
 */
const asker = `
const { connect } = require('node:net')
const ask = (targets, always) => new Promise((done) => {
  const answered = new Set()
  for (const { name, ...to } of targets) {
    const socket = connect(to, () => {
      answered.add(name)
      socket.end()
      if (name === always) setTimeout(() => done([...answered].sort()), ${unansweredMs})
    })
    socket.on('error', () => {})
  }
})`

async function addressed(jail: Jail | undefined, port: number): Promise<object> {
  const targets = ['127.0.0.1', ...other.addresses].map((host) => ({ name: host, host, port: other.port }))
  const program = `${asker}
    require('node:net').createServer((socket) => socket.end()).listen(${port}, '0.0.0.0', async () => {
      console.log('listens')
      console.log('reached ' + JSON.stringify(await ask(${JSON.stringify(targets)}, '127.0.0.1')))
    })
    setInterval(() => {}, 1000)`
  const spec = lab.spec([node, '-e', program], jail ? { jail } : {})
  const listens = lab.printed(spec, /^listens$/)
  const reached = lab.printed(spec, /^reached /)
  await lab.driver.start(spec)
  await listens
  const loopback = await connects(port)
  const from = await reachedFrom(port)
  return { to: JSON.parse((await reached).slice('reached '.length)), from, loopback }
}

/** The addresses of the other machine from which a connection to our port succeeds. */
async function reachedFrom(port: number): Promise<string[]> {
  const targets = other.addresses.map((localAddress) => ({ name: localAddress, localAddress, host: here, port }))
  // The target that always answers is the machine's own.
  const all = [{ name: 'self', host: other.addresses[0], port: other.port }, ...targets]
  const program = `${asker}
    ask(${JSON.stringify(all)}, 'self').then((names) => { console.log(JSON.stringify(names)); process.exit() })`
  const names = JSON.parse(await said('ip', 'netns', 'exec', other.network, node, '-e', program)) as string[]
  return names.filter((name) => name !== 'self')
}

async function connects(port: number): Promise<boolean> {
  const program = `${asker}
    ask([{ name: 'it', host: '127.0.0.1', port: ${port} }], 'it').then(() => process.exit(0))`
  return promisify(execFile)(node, ['-e', program], { timeout: withinMs }).then(
    () => true,
    () => false,
  )
}

/** Another machine on the network, with two addresses; both machines answer on a port. */
async function openNeighbour(): Promise<void> {
  const steps = [
    `link add here type veth peer name there`,
    `netns add ${other.network}`,
    `link set there netns ${other.network}`,
    `addr add ${here}/24 dev here`,
    `link set here up`,
    `-n ${other.network} link set lo up`,
    ...other.addresses.map((address) => `-n ${other.network} addr add ${address}/24 dev there`),
    `-n ${other.network} link set there up`,
  ]
  for (const step of steps) await said('ip', ...step.split(' '))
  const serve = `require('node:net').createServer((socket) => socket.end()).listen(${other.port}, () => console.log('up'))`
  const servers = [
    spawn('ip', ['netns', 'exec', other.network, node, '-e', serve], { stdio: ['ignore', 'pipe', 'inherit'] }),
    spawn(node, ['-e', serve], { stdio: ['ignore', 'pipe', 'inherit'] }),
  ]
  children.push(...servers)
  await Promise.all(servers.map(({ stdout }) => once(stdout, 'data')))
}

async function exposed(): Promise<object> {
  const spec = lab.spec(['/bin/sleep', '1000'])
  await lab.driver.start(spec)
  return { said: await said('systemd-analyze', 'security', '--no-pager', unitName(spec.service, spec.id)) }
}

async function confined(): Promise<object> {
  await openNeighbour()
  const [open, one, none] = await Promise.all([
    addressed(undefined, 7100),
    addressed({ addresses: ['10.9.0.2'] }, 7101),
    addressed({ addresses: ['localhost'] }, 7102),
  ])
  return { open, one, none }
}

/** An error of one check does not affect the others. */
const checks = Object.entries({ hungry, forking, exposed, confined }).map(async ([name, check]) => {
  const begun = performance.now()
  const seen = await check().catch((error: unknown) => ({
    failed: String(error instanceof Error ? error.stack : error),
  }))
  return [name, { ...seen, ms: Math.round(performance.now() - begun) }]
})
const seen = Object.fromEntries((await Promise.all(checks)) as [string, object][]) as object
for (const child of children) child.kill('SIGKILL')
await lab.close()
console.log(JSON.stringify(seen))
