import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import { families } from '../families.ts'
import type { InstanceSpec } from '../supervisor.ts'
import { insideMachine, openSystemdLab, whyOutside, type SystemdLab } from './systemdLab.ts'
import { createSystemdSupervisor } from './systemdSupervisor.ts'
import { unitName } from './unitName.ts'
import { until } from '../../../lib/testing/until.ts'

const systemctl = (...args: string[]): string => execFileSync('systemctl', args, { encoding: 'utf8' }).trim()
const unitOf = ({ service, id }: InstanceSpec): string => unitName(service, id)
const sleeps = ['/bin/sh', '-c', 'echo up; exec sleep 1000']

describe.skipIf(!insideMachine)(`units of systemd${whyOutside}`, () => {
  let lab: SystemdLab
  beforeEach(async () => {
    lab = await openSystemdLab()
  })
  afterEach(() => lab.close())

  it('are exposed to at most 2.0, as systemd-analyze counts, with a network', async () => {
    const wanted = lab.spec(sleeps)
    await lab.driver.start(wanted)
    const said = execFileSync('systemd-analyze', ['security', '--no-pager', unitOf(wanted)], { encoding: 'utf8' })
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1])
    console.log(`exposure ${exposure}`)
    expect(exposure).toBeLessThanOrEqual(2)
    expect(systemctl('is-enabled', unitOf(wanted))).toBe('enabled')
    expect(
      execFileSync('systemd-analyze', ['verify', `/etc/systemd/system/${unitOf(wanted)}`], {
        stdio: 'pipe',
      }).toString(),
    ).toBe('')
  })

  it('give a program its environment and nothing else, and leave no part of it where others can read it', async () => {
    const wanted = lab.spec(['/usr/lib/tandem/node', '-e', 'console.log(JSON.stringify(process.env))'], { once: true })
    wanted.env = { ...wanted.env, SECRET: ' "quoted" $HOME `x` \\ %h \t two\nlines = ä ', EMPTY: '' }
    const ended = lab.printed(wanted, /^\{/)
    await lab.driver.start(wanted)
    expect(JSON.parse(await ended)).toEqual(wanted.env)
    const folder = join(lab.dir, 'agent/environment')
    // The environment file is removed a moment after the program has ended.
    await expect.poll(() => readdirSync(folder)).toEqual([])
    const service = lab.spec(sleeps, { env: wanted.env })
    await lab.driver.start(service)
    expect(readdirSync(folder).map((name) => (statSync(join(folder, name)).mode & 0o777).toString(8))).toEqual(['600'])
    expect(systemctl('cat', unitOf(service))).not.toContain('quoted')
    await lab.driver.stop(service.id)
    expect(readdirSync(folder)).toEqual([])
    expect(existsSync(`/etc/systemd/system/${unitOf(service)}`)).toBe(false)
    expect(existsSync(`/etc/systemd/system/multi-user.target.wants/${unitOf(service)}`)).toBe(false)
  })

  it('keep a service from the data, the processes and the files of others, and from changing its release', async () => {
    const other = lab.spec(['/bin/sh', '-c', 'echo secret >$TANDEM_DATA/kept; echo up; exec sleep 1000'])
    const { pid } = await lab.driver.start(other)
    await lab.printed(other, /^up$/)
    writeFileSync(join(lab.dir, 'agent/key'), 'key', { mode: 0o644 })
    const look = `
      cat ${other.env['TANDEM_DATA']}/kept && echo BROKEN data
      cat ${lab.dir}/agent/key && echo BROKEN agent
      ls /root && echo BROKEN home
      echo x >changed && echo BROKEN release
      echo x >/etc/changed && echo BROKEN system
      [ -e /proc/${pid} ] && echo BROKEN process
      [ -e /proc/1 ] && echo BROKEN init
      kill -0 ${pid} && echo BROKEN kill
      echo mine >$TANDEM_DATA/mine && cat $TANDEM_DATA/mine && echo looked`
    const curious = lab.spec(['/bin/sh', '-c', look], { once: true })
    const looked = lab.printed(curious, /^looked$/)
    await lab.driver.start(curious)
    await looked
    const said = (await lab.lines(curious.service)).map(({ text }) => text)
    expect(said.filter((text) => text.startsWith('BROKEN'))).toEqual([])
    expect(said).toContain('mine')
  })

  it('see memory and processors of the machine, and have shared memory and scratch folders that nobody else sees', async () => {
    const [log, run] = ['/var/log/scratch-of-test', '/run/scratch-of-test']
    const look = `
      grep -q ^MemTotal /proc/meminfo && grep -q ^processor /proc/cpuinfo && grep -q . /proc/loadavg && echo sees the machine
      for one in cmdline kallsyms kcore timer_list; do head -c1 /proc/$one && echo BROKEN $one; done
      [ $(ls /proc | grep -c '^[0-9]') -lt 10 ] || echo BROKEN processes
      echo x >/dev/shm/x && [ "$(ls /dev/shm)" = x ] && echo has shared memory
      [ -z "$(ls ${log} ${run} | grep -v :)" ] && echo x >${log}/x && mkdir -m 700 ${run}/x && echo x >${run}/x/x && echo has scratch
      echo x >/var/log/x && echo BROKEN log
      echo looked; exec sleep 1000`
    const jail = { scratch: [log, run] }
    const curious = lab.spec(['/bin/sh', '-c', look], { jail })
    const other = lab.spec(['/bin/sh', '-c', look], { jail, service: curious.service, id: `${curious.service}-2` })
    for (const one of [curious, other]) {
      const looked = lab.printed(one, /^looked$/)
      await lab.driver.start(one)
      await looked
    }
    const said = (await lab.lines(curious.service)).map(({ text }) => text)
    expect(said.filter((text) => text.startsWith('BROKEN'))).toEqual([])
    for (const text of ['sees the machine', 'has shared memory', 'has scratch'])
      expect(said.filter((one) => one === text)).toHaveLength(2)
    expect(readdirSync('/dev/shm')).not.toContain('x')
    expect([log, run].flatMap((folder) => readdirSync(folder))).toEqual([])
    const unit = execFileSync('systemd-analyze', ['security', '--no-pager', unitOf(curious)], { encoding: 'utf8' })
    expect(Number(/Overall exposure level for \S+: ([\d.]+)/.exec(unit)?.[1])).toBeLessThanOrEqual(2)
    for (const one of [curious, other]) await lab.driver.stop(one.id)
  })

  it('of one service share its data folder, in parallel and one after the other', async () => {
    const write = (name: string): string[] => [
      '/bin/sh',
      '-c',
      `echo ${name} >>$TANDEM_DATA/all; echo up; exec sleep 1000`,
    ]
    const first = lab.spec(write('one'))
    const second = lab.spec(write('two'), { service: first.service, id: `${first.service}-2`, env: first.env })
    for (const one of [first, second]) {
      await lab.driver.start(one)
      await lab.printed(one, /^up$/)
    }
    for (const one of [first, second]) await lab.driver.stop(one.id)
    const third = lab.spec(['/bin/sh', '-c', 'cat $TANDEM_DATA/all; echo read'], {
      service: first.service,
      id: `${first.service}-3`,
      env: first.env,
      once: true,
    })
    const read = lab.printed(third, /^read$/)
    await lab.driver.start(third)
    await read
    expect((await lab.lines(first.service)).map(({ text }) => text)).toEqual(expect.arrayContaining(['one', 'two']))
  })

  it('that exceed their memory limit are killed and restarted', async () => {
    const eat = 'const kept=[];setInterval(()=>kept.push(Buffer.alloc(4e6,1)),1)'
    const wanted = lab.spec(['/usr/lib/tandem/node', '-e', eat])
    wanted.limits = { ...wanted.limits, memoryBytes: 100 * 1024 * 1024 }
    await lab.driver.start(wanted)
    await until(() => expect(lab.restarts.length).toBeGreaterThan(0))
    // With v1 controllers systemd does not report why the kernel killed the process.
    expect(lab.exits[0]).toMatchObject({ signal: 'SIGKILL', asked: false, again: true })
    expect(['oom', 'signal']).toContain(lab.exits[0]?.reason)
  })

  it('that fork without end stay within their tasks', async () => {
    const bomb = 'i=0; while [ $i -lt 100 ]; do sleep 1000 & i=$((i+1)); done; wait'
    const wanted = lab.spec(['/bin/bash', '-c', `echo up; while :; do (${bomb}) ; done`])
    wanted.limits = { ...wanted.limits, tasks: 20 }
    await lab.driver.start(wanted)
    await until(() =>
      expect(Number(systemctl('show', '-P', 'TasksCurrent', unitOf(wanted)))).toBeGreaterThanOrEqual(19),
    )
    for (let look = 0; look < 20; look++)
      expect(Number(systemctl('show', '-P', 'TasksCurrent', unitOf(wanted)))).toBeLessThanOrEqual(20)
    await lab.driver.stop(wanted.id)
    expect(lab.driver.isAlive(wanted.id)).toBe(false)
  })

  it('outlive a kill -9 of the agent; the next agent adopts them with the same pid and stops one-off programs', async () => {
    const script = `
      const { openSystemdLab } = await import(${JSON.stringify(new URL('./systemdLab.ts', import.meta.url).href)})
      const lab = await openSystemdLab(${JSON.stringify(`${lab.dir}-killed`)})
      const spec = lab.spec(['/bin/sleep', '1000'], { service: 'kept', env: { PORT: '18123' } })
      const { pid } = await lab.driver.start(spec)
      await lab.driver.start(lab.spec(['/bin/sleep', '1000'], { service: 'once', once: true }))
      console.log(JSON.stringify({ pid, spec }))`
    const agent = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      script,
    ])
    let said = ''
    for (const stream of [agent.stdout, agent.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await until(() => expect(said).toMatch(/^\{"pid".*\}\n$/))
    const killed = once(agent, 'exit')
    agent.kill('SIGKILL')
    await killed
    const { pid, spec } = JSON.parse(said) as { pid: number; spec: InstanceSpec }
    const next = await openSystemdLab(`${lab.dir}-killed`)
    try {
      expect(next.driver.isAlive(spec.id)).toBe(true)
      expect(next.driver.isAlive('once-1')).toBe(false)
      expect(next.driver.claim?.(spec.id)).toMatchObject({ pid, port: 18123 })
      expect(next.driver.claim?.(spec.id)).toBe(null)
      expect(Number(systemctl('show', '-P', 'MainPID', unitOf(spec)))).toBe(pid)
      expect(next.exits).toEqual([])
      process.kill(pid, 'SIGKILL')
      await until(() => expect(next.restarts).toHaveLength(1))
      expect(next.exits).toEqual([expect.objectContaining({ pid, signal: 'SIGKILL', reason: 'signal', again: true })])
    } finally {
      await next.close()
    }
  })

  it('that a person has stopped stay stopped over a restart of the agent, until a person starts them', async () => {
    const wanted = lab.spec(sleeps)
    await lab.driver.start(wanted)
    systemctl('stop', unitOf(wanted))
    await until(() => expect(lab.driver.isAlive(wanted.id)).toBe(false))
    const next = createSystemdSupervisor({ dir: join(lab.dir, 'agent'), clock: systemClock, hidden: [] })
    try {
      const restarts: number[] = []
      next.onRestart?.(({ pid }) => void restarts.push(pid))
      expect((await next.recover()).adopted).toContain(wanted.id)
      expect(next.claim?.(wanted.id)).toMatchObject({ pid: null, port: null, startedAt: null })
      expect(systemctl('show', '-P', 'ActiveState', unitOf(wanted)).trim()).toBe('inactive')
      systemctl('start', unitOf(wanted))
      await until(() => expect(restarts).toHaveLength(1))
      expect(next.isAlive(wanted.id)).toBe(true)
    } finally {
      await next.stop(wanted.id)
      await next.close()
    }
  })

  it('can be restarted, stopped and started by a person, and the driver notices', async () => {
    const wanted = lab.spec(sleeps)
    const { pid } = await lab.driver.start(wanted)
    systemctl('restart', unitOf(wanted))
    await until(() => expect(lab.restarts).toHaveLength(1))
    expect(lab.exits).toEqual([expect.objectContaining({ pid, asked: false, again: true })])
    expect(lab.driver.isAlive(wanted.id)).toBe(true)
    systemctl('stop', unitOf(wanted))
    await until(() => expect(lab.driver.isAlive(wanted.id)).toBe(false))
    systemctl('start', unitOf(wanted))
    await until(() => expect(lab.restarts).toHaveLength(2))
    expect(lab.driver.isAlive(wanted.id)).toBe(true)
  })

  it('are seen to end although the bus was restarted, and the missing bus is reported meanwhile', async () => {
    const wanted = lab.spec(sleeps)
    const { pid } = await lab.driver.start(wanted)
    expect(lab.driver.problems?.()).toEqual([])
    systemctl('stop', 'dbus.socket', 'dbus.service')
    await until(() =>
      expect(lab.driver.problems?.()).toEqual([expect.stringContaining("cannot receive systemd's signals")]),
    )
    systemctl('start', 'dbus.socket', 'dbus.service')
    process.kill(pid, 'SIGKILL')
    await until(() => expect(lab.restarts).toHaveLength(1))
    expect(lab.exits).toEqual([expect.objectContaining({ pid })])
    await until(() => expect(lab.driver.problems?.()).toEqual([]))
  })

  it('that a person stops without an agent end as defined: the signal to the main process, SIGTERM to the processes it leaves', async () => {
    const wanted = lab.spec(families.family, { stop: { signal: 'SIGTERM', withinMs: 5_000 } })
    await lab.driver.start(wanted)
    await lab.printed(wanted, /child up/)
    systemctl('stop', unitOf(wanted))
    const said = (await lab.lines(wanted.service)).map(({ text }) => text)
    expect(said.filter((text) => /^(main|child) (told|ends)$/.test(text))).toEqual([
      'main told',
      'main ends',
      'child told',
    ])
  })

  it('that are stopped before they are ready get their own signal first, on the same clock', async () => {
    const notify = { withinMs: 60_000, watchdogMs: null }
    const main = `trap 'echo main told; sleep 1.5; exit' INT; trap 'echo main terminated' TERM`
    const child = `trap 'echo child told' TERM; echo child up; while :; do sleep 0.05; done`
    const argv = ['/bin/sh', '-c', `${main}; sh -c "${child}" & while :; do sleep 0.05; done`]
    const wanted = lab.spec(argv, { notify, stop: { signal: 'SIGINT', withinMs: 2_500 } })
    const started = lab.driver.start(wanted).catch((error: unknown) => error)
    await lab.printed(wanted, /child up/)
    const began = systemClock.monotonic()
    await lab.driver.stop(wanted.id)
    const tookMs = systemClock.monotonic() - began
    expect(await started).toBeInstanceOf(Error)
    const said = (await lab.lines(wanted.service))
      .map(({ text }) => text)
      .filter((text) => / (told|terminated)$/.test(text))
    expect(said).toEqual(['main told', 'child told'])
    expect(tookMs).toBeGreaterThanOrEqual(2_499)
    expect(tookMs).toBeLessThan(1_500 + 2_500)
    expect(existsSync(`/etc/systemd/system/${unitOf(wanted)}`)).toBe(false)
  })

  it('are restarted after every crash, however many', async () => {
    const wanted = lab.spec(['/bin/sh', '-c', 'exit 7'])
    await lab.driver.start(wanted)
    await until(() => expect(lab.exits.length).toBeGreaterThan(6))
    expect(new Set(lab.exits.map(({ code }) => code))).toEqual(new Set([7]))
    expect(lab.restarts.length).toBeGreaterThan(5)
  })

  it('notify systemd of readiness and liveness if requested; a silent unit is restarted', async () => {
    const notify = { withinMs: 10_000, watchdogMs: 500 }
    const silent = lab.spec(['/bin/sh', '-c', 'systemd-notify --ready; exec sleep 1000'], { notify })
    await lab.driver.start(silent)
    expect(systemctl('show', '-P', 'SubState', unitOf(silent))).toBe('running')
    await until(() => expect(lab.restarts).toHaveLength(1))
    expect(lab.exits[0]).toMatchObject({ signal: 'SIGABRT', again: true })
    const mute = lab.spec(['/bin/sleep', '1000'], { notify: { withinMs: 300, watchdogMs: null } })
    await expect(lab.driver.start(mute)).rejects.toMatchObject({
      code: 'E_EXEC',
      message: expect.stringContaining('0.3 s'),
    })
    expect(existsSync(`/etc/systemd/system/${unitOf(mute)}`)).toBe(false)
  })

  it('whose jail or folder cannot be created are rejected with a fix', async () => {
    const absent = lab.spec(sleeps, { jail: { write: ['/srv/absent'] } })
    await expect(lab.driver.start(absent)).rejects.toMatchObject({
      code: 'E_EXEC',
      message: expect.stringContaining('jail'),
    })
    const user = lab.spec(sleeps, { jail: { user: 'nobody-here' } })
    await expect(lab.driver.start(user)).rejects.toMatchObject({
      code: 'E_EXEC',
      message: expect.stringContaining('user'),
    })
    expect(readdirSync('/etc/systemd/system').filter((name) => name.startsWith('tandem-s'))).toEqual([])
  })

  it('are not started without the address restriction where the machine cannot enforce it', async () => {
    const confined = lab.spec(sleeps, { jail: { addresses: ['10.0.0.5'] } })
    const started = lab.driver.start(confined)
    // With v2 systemd restricts it: test/lab/cgroup2.test.ts shows that. Here no firewall does.
    if (existsSync('/sys/fs/cgroup/cgroup.controllers')) await expect(started).resolves.toHaveProperty('pid')
    else
      await expect(started).rejects.toMatchObject({
        code: 'E_EXEC',
        message: expect.stringContaining('nftables or cgroup v2'),
      })
  })

  it('with the same spec have the same bytes each time', async () => {
    const wanted = lab.spec(sleeps)
    const files = [
      `/etc/systemd/system/${unitOf(wanted)}`,
      join(lab.dir, 'agent/environment', `tandem-${wanted.id}.env`),
    ]
    await lab.driver.start(wanted)
    const before = files.map((file) => readFileSync(file, 'utf8'))
    await lab.driver.stop(wanted.id)
    await lab.driver.start(wanted)
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(before)
  })
})
