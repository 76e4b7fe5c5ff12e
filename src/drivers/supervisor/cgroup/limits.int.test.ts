import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import { createCgroups, findCgroups } from './cgroups.ts'
import { eventually, openProcessLab, stillRunning, type ProcessLab } from '../process/processLab.ts'

const probe = findCgroups(`probe-${process.pid}`)
const { memory, cpu, tasks, why } = probe.abilities
probe.close()
const reason = why === null ? '' : ` (skipped: ${why})`
const none = { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null }
const MiB = 1024 * 1024

let lab: ProcessLab
beforeEach(() => {
  lab = openProcessLab()
})
afterEach(() => lab.close())

/** The group of this controller that a process is in, as a folder. */
function groupOf(pid: number, controller: 'cpu' | 'pids'): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
  const v1 = lines.find((line) => line.split(':')[1]?.split(',').includes(controller))
  const path = (v1 ?? lines.find((line) => line.startsWith('0::')))?.split(':')[2] ?? ''
  const places = [`/sys/fs/cgroup/${controller}`, `/sys/fs/cgroup/cpu,cpuacct`, '/sys/fs/cgroup']
  return places.map((place) => join(place, path)).find(existsSync) ?? ''
}

describe('limits', () => {
  it.skipIf(!memory)(`memory: the kernel kills a program that exceeds its limit, and no other${reason}`, async () => {
    const limits = { ...none, memoryBytes: 96 * MiB }
    const hog = lab.spec([process.execPath, '-e', 'const all = []; for (;;) all.push(Buffer.alloc(1048576, 1))'], {
      limits,
    })
    const modest = lab.spec([process.execPath, '-e', `Buffer.alloc(1048576, 1); console.log('fine')`], { limits })
    await lab.driver.start(hog)
    expect(await lab.exit(hog.id)).toMatchObject({ signal: 'SIGKILL', asked: false, reason: 'oom' })
    expect((await lab.lines(hog.id)).map(({ text }) => text)).toContain(
      'the kernel killed 1 of its processes: the instance reached limits.memory',
    )
    await lab.driver.start(modest)
    expect(await lab.exit(modest.id)).toMatchObject({ code: 0, reason: 'exit' })
  })

  it.skipIf(!tasks)(`tasks: a fork bomb stays within the limit and ends with its instance${reason}`, async () => {
    // The program itself forks once: a shell that cannot fork any more would end.
    const bomb = lab.spec(['/bin/sh', '-c', 'bomb() { bomb | bomb & }; bomb & exec sleep 1000'], {
      limits: { ...none, tasks: 30 },
    })
    const { pid } = await lab.driver.start(bomb)
    const group = groupOf(pid, 'pids')
    await lab.printed(bomb.id, /fork|retry|Resource/i)
    expect(Number(readFileSync(join(group, 'pids.current'), 'utf8'))).toBeLessThanOrEqual(30)
    expect(readFileSync(join(group, 'pids.events'), 'utf8')).toMatch(/max [1-9]/)
    await lab.driver.stop(bomb.id)
    expect(existsSync(group)).toBe(false)
  })

  it.skipIf(!cpu)(`cpu: a spinner gets no more than its share${reason}`, async () => {
    const spinner = lab.spec(['/bin/sh', '-c', 'while :; do :; done'], { limits: { ...none, cpu: 0.2 } })
    const { pid } = await lab.driver.start(spinner)
    const group = groupOf(pid, 'cpu')
    const periods = (): number => Number(/nr_throttled (\d+)/.exec(readFileSync(join(group, 'cpu.stat'), 'utf8'))?.[1])
    const ticks = (): number => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[11])
    const [beganAt, beganTicks] = [systemClock.monotonic(), ticks()]
    await eventually('the kernel throttled the spinner ten times', () => periods() >= 10)
    const wallMs = systemClock.monotonic() - beganAt
    const cpuMs = (ticks() - beganTicks) * 10
    expect(cpuMs / wallMs).toBeLessThan(0.4)
  })

  it.skipIf(!tasks)(
    `the program is in its groups before its first instruction, and the groups are removed with it${reason}`,
    async () => {
      const limits = { memoryBytes: 64 * MiB, cpu: 1, tasks: 10 }
      const spec = lab.spec(['cat', '/proc/self/cgroup'], { limits: { ...none, ...limits } })
      await lab.driver.start(spec)
      await lab.exit(spec.id)
      const out = (await lab.lines(spec.id)).filter(({ text }) => text.endsWith(`/${spec.id}`))
      expect(out.length).toBeGreaterThanOrEqual(1)
      for (const { text } of out) expect(existsSync(join('/sys/fs/cgroup/pids', text.split(':')[2] ?? ''))).toBe(false)
    },
  )

  it('that cannot be enforced are reported in the log, and the program runs', async () => {
    await lab.close()
    lab = openProcessLab({ cgroups: createCgroups([], 'only Linux has control groups') })
    expect(lab.driver.abilities).toEqual({
      memory: false,
      cpu: false,
      tasks: false,
      outlivesAgent: false,
      why: 'only Linux has control groups',
    })
    const spec = lab.spec(['true'], { limits: { ...none, memoryBytes: MiB, cpu: 1 } })
    await lab.driver.start(spec)
    expect(await lab.exit(spec.id)).toMatchObject({ code: 0 })
    expect((await lab.lines(spec.id)).map(({ text }) => text)).toContain(
      'limits not enforced: memory, cpu (only Linux has control groups)',
    )
  })
})

describe('a process that hides from its process group, its session and its markers', () => {
  /** A daemon with an empty environment, in its own session, whose parents are gone. */
  const daemon = `env -i setsid /bin/sh -c 'echo pid $$; exec sleep 1000' & sleep 1000`

  const isFound = async (): Promise<boolean> => {
    const spec = lab.spec(['/bin/sh', '-c', `(${daemon}) & exec sleep 1000`])
    await lab.driver.start(spec)
    const pid = Number((await lab.printed(spec.id, /^pid/)).split(' ')[1])
    const before = await stillRunning([pid])
    await lab.driver.stop(spec.id)
    return before.length === 1 && (await stillRunning([pid])).length === 0
  }

  it.skipIf(!tasks)(`is found by its control group${reason}`, async () => {
    expect(await isFound()).toBe(true)
  })

  const unified = '/sys/fs/cgroup/unified'
  const writable = existsSync(unified) && process.getuid?.() === 0
  it.skipIf(!writable)(
    'is found and killed through a v2 control group (skipped: not root, or no v2 tree beside v1)',
    async () => {
      await lab.close()
      const base = join(unified, 'tandem', `test-${process.pid}`)
      lab = openProcessLab({ cgroups: createCgroups([{ version: 2, controllers: [], base, tracks: true }], null) })
      expect(await isFound()).toBe(true)
      expect(existsSync(base)).toBe(true)
      await lab.close()
      expect(existsSync(base)).toBe(false)
    },
  )
})

const unified = existsSync('/sys/fs/cgroup/cgroup.controllers')
it.skipIf(!unified || !memory)(
  'are enforced by v2 where v2 has the controllers (skipped: this machine has them in v1)',
  async () => {
    const spec = lab.spec(['sleep', '1000'], { limits: { ...none, memoryBytes: 64 * MiB, cpu: 0.5, tasks: 10 } })
    const { pid } = await lab.driver.start(spec)
    const group = groupOf(pid, 'pids')
    expect(readFileSync(join(group, 'memory.max'), 'utf8').trim()).toBe(String(64 * MiB))
    expect(readFileSync(join(group, 'cpu.max'), 'utf8').trim()).toBe('50000 100000')
    await lab.driver.stop(spec.id)
    expect(existsSync(group)).toBe(false)
  },
)
