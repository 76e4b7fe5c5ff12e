import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootQemuMachine, type QemuMachine } from './qemuMachine.ts'
import { whyNoQemu } from './requirements.ts'

const why = whyNoQemu()
/** The first run builds the image and downloads the kernel. */
const bootMs = 900_000
/** Allows for an emulated machine beside two others on a busy computer; takes some 50 s when nothing else runs. */
const checksMs = 600_000

/*
 * Tests of features that only cgroup v2 has. Other lab machines share this computer's kernel, whose controllers may be
 * v1. This machine has its own kernel, which is emulated and slow. So there is only one boot, and one program on the
 * machine makes all observations (qemuGuest/cgroup2Checks.ts).
 */
describe.skipIf(why)(`a machine with cgroup v2${why ? ` (skipped: ${why})` : ''}`, () => {
  const checks = { tag: 'checks', from: '', to: '/opt/tandem-checks' }
  let machine: QemuMachine
  let seen: Record<string, Record<string, unknown>>
  beforeAll(async () => {
    checks.from = mkdtempSync(join(tmpdir(), 'tandem-checks-'))
    await bundleChecks(checks.from)
    machine = await bootQemuMachine([checks])
    // Node's compiler crashed at times under emulation; without it, Node is not slower here.
    const said = await machine.must(`/usr/lib/tandem/node --jitless ${checks.to}/cgroup2Checks.js`, {
      timeoutMs: checksMs,
    })
    seen = JSON.parse(said) as typeof seen
    const times = Object.entries(seen).map(([name, { ms }]) => `${name} ${String(ms)} ms`)
    console.log(`booted in ${machine.bootedMs} ms; ${times.join(', ')}`)
  }, bootMs + checksMs)
  afterAll(async () => {
    await machine?.close()
    rmSync(checks.from, { recursive: true, force: true })
  })

  it('has all controllers of v2, and none of v1', async () => {
    const controllers = await machine.must('cat /sys/fs/cgroup/cgroup.controllers')
    expect(controllers.trim().split(' ')).toEqual(expect.arrayContaining(['cpu', 'memory', 'pids']))
    expect(await machine.must('stat -f -c %T /sys/fs/cgroup')).toBe('cgroup2fs\n')
  })

  it('an instance that uses too much memory is killed by the kernel, reported as such, and restarted', () => {
    const exit = { signal: 'SIGKILL', reason: 'oom', asked: false, again: true }
    expect(seen['hungry']).toMatchObject({ memory: String(100 * 1024 * 1024), swap: '0', exit })
    expect(seen['hungry']?.['journal']).toMatch(/Failed with result 'oom-kill'/)
  })

  it('a fork bomb stays within its limit of tasks, and the limit of processors holds', () => {
    expect(seen['forking']).toMatchObject({ tasks: '20', cpu: '50000 100000', alive: false })
    expect(seen['forking']?.['most']).toBeGreaterThan(10)
    expect(seen['forking']?.['most']).toBeLessThanOrEqual(20)
  })

  it('a default instance is as restricted as on other machines: systemd-analyze reports at most 2.0', () => {
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(String(seen['exposed']?.['said']))?.[1]
    expect(Number(exposure), JSON.stringify(seen['exposed'])).toBeGreaterThan(0)
    expect(Number(exposure)).toBeLessThanOrEqual(2)
  })

  it('an instance confined to addresses can connect only to and from these addresses and loopback', () => {
    const [local, first, second] = ['127.0.0.1', '10.9.0.2', '10.9.0.3']
    expect(seen['confined']).toMatchObject({
      open: { to: [first, second, local], from: [first, second], loopback: true },
      one: { to: [first, local], from: [first], loopback: true },
      none: { to: [local], from: [], loopback: true },
    })
  })

  it('a program that ignores the signal is killed when its grace has ended, with the processes of its group', () => {
    const exit = { signal: 'SIGKILL', reason: 'stopped', asked: true }
    expect(seen['stubborn']).toMatchObject({ processes: '2', inGrace: false, exit, alive: false })
  })

  it('keepalived runs with real-time priority, within the jail of its unit', () => {
    expect(seen['advertising']).toMatchObject({
      scheduled: expect.stringMatching(/policy: SCHED_RR\b[^]*priority: 1$/),
    })
    expect(seen['advertising']?.['journal']).not.toMatch(/cannot raise priority/)
  })

  it('an instance outlives its driver; the next one adopts it, knows its port, and stops it', () => {
    const stopped = { early: [], exits: ['stopped'], alive: false, owner: null }
    expect(seen['adopted']).toMatchObject({ same: true, owns: true, ...stopped })
  })
})

/** Builds the checks into one file: an emulated machine takes long to load hundreds of sources and to strip their types. */
async function bundleChecks(folder: string): Promise<void> {
  const sources = join(import.meta.dirname, 'qemuGuest')
  const build = await rolldown({
    input: join(sources, 'cgroup2Checks.ts'),
    platform: 'node',
    external: [/^node:/],
  })
  await build.write({ dir: folder, format: 'esm', entryFileNames: '[name].js' })
  await build.close()
  cpSync(join(sources, 'neighbour.pl'), join(folder, 'neighbour.pl'))
}
