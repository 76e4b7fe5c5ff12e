import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Jail } from '../../../src/definitions/definition.ts'
import { keepalivedUnitFile } from '../../../src/drivers/address/keepalived/addressUnits.ts'
import { keepalivedConfig } from '../../../src/drivers/address/keepalived/keepalivedConfig.ts'
import { keepalivedFiles } from '../../../src/drivers/address/keepalived/keepalivedFiles.ts'
import { keepalivedSettings } from '../../../src/drivers/address/keepalived/keepalivedSettings.ts'
import type { InstanceSpec } from '../../../src/drivers/supervisor/supervisor.ts'
import { openSystemdLab } from '../../../src/drivers/supervisor/systemd/systemdLab.ts'
import { unitName } from '../../../src/drivers/supervisor/systemd/unitName.ts'
import { keepalivedUnit } from '../../../src/layout/addresses.ts'
import { unitFolder } from '../../../src/layout/units.ts'

/*
 * Runs on a machine with cgroup v2, and prints its observations as JSON, which test/lab/cgroup2.test.ts checks. One
 * program makes all of them, because Node takes seconds to start on an emulated machine.
 */

/** The services of the checks are in Perl, for the same reason. */
const perl = '/usr/bin/perl'
const neighbour = [perl, '-e', readFileSync(`${import.meta.dirname}/neighbour.pl`, 'utf8')]
const withinMs = 150_000
const lookMs = 50
const other = { network: 'other', port: 7000, addresses: ['10.9.0.2', '10.9.0.3'] }
const here = '10.9.0.1'
const memoryBytes = 100 * 1024 * 1024
const graceMs = 1_000
/** An emulated machine beside others on a busy computer takes half a minute to stop a unit. */
const patient = { stop: { signal: 'SIGTERM' as const, withinMs } }

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
  const eat = `$| = 1; my @kept; $SIG{USR2} = sub { push @kept, 'x' x 8e6 while 1 }; print "up\\n"; sleep 1 while 1`
  const spec = lab.spec([perl, '-e', eat], patient)
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
  const spec = lab.spec(['/bin/bash', '-c', 'while :; do sleep 1000 & done'], patient)
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

/** Words of neighbour.pl. */
const target = (name: string, host: string, port: number, local?: string): string =>
  [name, host, String(port), ...(local === undefined ? [] : [local])].join(',')

async function addressed(jail: Jail | undefined, port: number): Promise<object> {
  const targets = ['127.0.0.1', ...other.addresses].map((host) => target(host, host, other.port))
  const words = ['listen', String(port), 'ask', '127.0.0.1', ...targets]
  const spec = lab.spec([...neighbour, ...words], jail ? { jail } : {})
  const listens = lab.printed(spec, /^listens$/)
  const reached = lab.printed(spec, /^reached /)
  await lab.driver.start(spec)
  await listens
  const loopback = (await asked([], 'it', [target('it', '127.0.0.1', port)])).length === 1
  const from = await reachedFrom(port)
  return { to: names((await reached).slice('reached '.length)), from, loopback }
}

/** The addresses of the other machine from which a connection to our port succeeds. */
async function reachedFrom(port: number): Promise<string[]> {
  const targets = other.addresses.map((local) => target(local, here, port, local))
  // The target that always answers is the machine's own.
  const self = target('self', other.addresses[0] ?? '', other.port)
  const answered = await asked(['ip', 'netns', 'exec', other.network], 'self', [self, ...targets])
  return answered.filter((name) => name !== 'self')
}

/** The targets that answer a program that `within` starts. */
async function asked(within: readonly string[], always: string, targets: readonly string[]): Promise<string[]> {
  const [file = '', ...words] = [...within, ...neighbour, 'ask', always, ...targets]
  return names(await said(file, ...words))
}

const names = (list: string): string[] => (list.trim() === '' ? [] : list.trim().split(','))

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
  const serve = [...neighbour, 'listen', String(other.port)]
  const servers = [['ip', 'netns', 'exec', other.network, ...serve], serve].map(([file = '', ...words]) =>
    spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
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

async function stubborn(): Promise<object> {
  const stop = { signal: 'SIGTERM' as const, withinMs: graceMs }
  const spec = lab.spec(['/bin/sh', '-c', 'trap "" TERM; echo up; while :; do sleep 1; done'], { stop })
  const up = lab.printed(spec, /^up$/)
  await lab.driver.start(spec)
  await up
  const group = await groupOf(spec)
  const processes = group('pids.current')
  const begun = performance.now()
  await lab.driver.stop(spec.id)
  const inGrace = performance.now() - begun < graceMs
  const exit = lab.exits.find(({ id }) => id === spec.id)
  return { processes, inGrace, exit, alive: lab.driver.isAlive(spec.id) }
}

/**
 * An instance that outlives its driver, as when an agent is killed, and is adopted by the next one. Runs alone, because
 * a driver adopts every instance of the machine.
 */
async function adopted(): Promise<object> {
  const port = 7200
  const first = await openSystemdLab()
  const spec = { ...first.spec([...neighbour, 'listen', String(port)]), port }
  const listens = first.printed(spec, /^listens$/)
  const { pid } = await first.driver.start(spec)
  await listens
  await first.driver.close()
  const next = await openSystemdLab(first.dir)
  const claimed = next.driver.claim?.(spec.id)
  const owner = await next.driver.whoOwns(port)
  const owns = await next.driver.ownsSocket(spec.id, port)
  await next.driver.stop(spec.id)
  const same = claimed?.pid === pid && owner?.pid === pid
  const facts = { same, owns, early: first.exits, exits: next.exits.map(({ reason }) => reason) }
  const ended = { alive: next.driver.isAlive(spec.id), owner: await next.driver.whoOwns(port) }
  await next.close()
  return { ...facts, ...ended }
}

/** keepalived, in its unit and with its configuration as an agent writes them, but without its guard. */
async function advertising(): Promise<object> {
  const files = keepalivedFiles('/var/lib/tandem-checks')
  for (const words of [
    'link add checks type veth peer name checked',
    'address add 10.8.0.1/24 dev checks',
    'link set checks up',
    'link set checked up',
  ])
    await said('ip', ...words.split(' '))
  const situation = {
    cluster: 'checks',
    advert: 100,
    machine: 'a',
    own: '10.8.0.1',
    addresses: ['10.8.0.50'],
    peers: [],
  }
  const settings = keepalivedSettings(situation, networkInterfaces())
  mkdirSync(dirname(files.config), { recursive: true })
  writeFileSync(files.config, keepalivedConfig(settings, files.run))
  writeFileSync(join(unitFolder, keepalivedUnit), keepalivedUnitFile('/usr/sbin/keepalived', files, settings))
  await said('systemctl', 'daemon-reload')
  await said('systemctl', 'start', keepalivedUnit)
  const journal = (): Promise<string> => said('journalctl', '-o', 'cat', '-u', keepalivedUnit)
  await until(async () => /Entering MASTER STATE/.test(await journal()))
  const scheduled = await said('chrt', '-p', await said('pgrep', '--newest', 'keepalived'))
  const lines = await journal()
  await said('systemctl', 'stop', keepalivedUnit)
  return { scheduled, journal: lines }
}

/** An error of one check does not affect the others. */
async function observed(name: string, check: () => Promise<object>): Promise<[string, object]> {
  const begun = performance.now()
  const seen = await check().catch((error: unknown) => ({
    failed: String(error instanceof Error ? error.stack : error),
  }))
  return [name, { ...seen, ms: Math.round(performance.now() - begun) }]
}

const alone = await observed('adopted', adopted)
const lab = await openSystemdLab()
const together = Object.entries({ hungry, forking, exposed, confined, stubborn, advertising })
const seen = await Promise.all(together.map(([name, check]) => observed(name, check)))
for (const child of children) child.kill('SIGKILL')
await lab.close()
console.log(JSON.stringify(Object.fromEntries([alone, ...seen])))
