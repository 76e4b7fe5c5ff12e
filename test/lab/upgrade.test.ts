import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { UpgradeView } from '../../src/api/upgrade.ts'
import type { Status } from '../../src/api/views.ts'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { failuresOf, line, web } from '../system/rollUnderLoad.ts'
import { AddressWatch } from './addressWatch.ts'
import { ClientLoad } from './clientLoad.ts'
import { killUnits } from './killUnits.ts'
import type { LabMachine } from './labMachine.ts'
import { entryPort, installCommand, isOfCluster, Pair, tcpPort } from './pair.ts'
import { hasCommit, previousBuild } from './previousBuild.ts'
import { whyNoLab } from './requirements.ts'
import { Workshop } from './workshop.ts'

const why = whyNoLab()
const bootMs = 700_000 // the first run installs the machines' system
const long = { timeout: 300_000 }
const drain = 3_000
/** Number of kills in total, and at most in one upgrade. Each killed upgrade is then run again without kills. */
const { seed, count: kills } = randomRun('kills', { check: 3, soak: 100 })
const killsEach = 20
/** An exit status from here up means a signal. */
const firstSignalCode = 128
/** Expected refusals: no controller answers, an upgrade is already running, or a machine has not reported yet. */
const tooSoonCodes = [3, 4]
const bugCode = 70
/** Neighbouring minor versions. */
const [before, after] = ['0.1.0', '0.2.0']
const address = '10.77.0.50'

interface Upgraded {
  upgrade: UpgradeView | null
  exit: number
}

describe.skipIf(why)(`tandem upgrade on real machines${why ? ` (skipped: ${why})` : ''}`, () => {
  let pair: Pair
  const workshop = new Workshop('upgrade')
  let load: ClientLoad | null = null
  let version = 0
  let watch: AddressWatch
  let moves = 0
  let newPackage = ''
  let hasPrevious = false
  beforeAll(async () => {
    hasPrevious = await hasCommit(previousBuild)
    const old = hasPrevious ? { commit: previousBuild, version: before } : { version: before }
    const debianPackage = await workshop.add(old, 'old')
    newPackage = await workshop.add({ version: after }, 'new')
    const drivers = '{ supervisor: systemd, balancer: haproxy, address: keepalived }'
    pair = await Pair.open({ debianPackage, drivers, more: `addresses: [${address}]\n` })
    watch = new AddressWatch(pair.lab, address)
    for (const name of serving) await watch.watch(name)
    await pushWeb()
    // A build from before `expose` does not accept the key, and its ports are public.
    const expose = hasPrevious ? '' : ', expose: public'
    const text = line({ name: 'line', version: '1', drain, more: `routes: [{ port: ${tcpPort}${expose} }]\n` })
    await pair.roll('line', text, 'line.mjs')
  }, bootMs)
  afterEach(() => {
    load?.kill()
    load = null
  })
  afterAll(async () => {
    watch?.close()
    await pair?.close()
    workshop.close()
  })

  /** A new version in which one part is broken; it reports its version like a working one. */
  function spoilt(name: string, version: string, part: 'agent' | 'controller', trouble: string): void {
    cpSync(join(workshop.folder, 'new'), join(workshop.folder, name), { recursive: true })
    const about = join(workshop.folder, name, 'package.json')
    writeFileSync(about, readFileSync(about, 'utf8').replace(after, version))
    const main = join(workshop.folder, name, 'lib/main.js')
    renameSync(main, main.replace('main.js', 'real.js'))
    writeFileSync(
      main,
      `if (process.argv.includes('${part}') && process.argv.includes('run')) { ${trouble} }\nelse await import('./real.js')\n`,
    )
  }
  const pushWeb = () => pair.roll('web', web({ name: 'web', version: String(++version), drain }))
  const upgrade = (name: string): Promise<Upgraded> => pair.tandem<Upgraded>('upgrade', `/media/packages/${name}`)
  const beginLoad = (): void => {
    expect(watch.holders).toHaveLength(1)
    moves = watch.changes.length
    const entries = [...pair.entries, `http://${address}:${entryPort}`]
    load = new ClientLoad(pair.lab, { entries, perSecond: 300, tcp: pair.tcpEntries, drainMs: drain })
  }
  /** Checks that no request was lost meanwhile, and that the address did not move. */
  async function endLoad(): Promise<void> {
    expect(watch.changes.slice(moves)).toEqual([])
    const result = await load?.stop()
    load = null
    if (!result) throw new Error('no load was started')
    expect(failuresOf(result)).toEqual([])
    expect(result.requests).toBeGreaterThan(500)
  }
  const serving = ['a', 'b']
  const watched = ['tandem-web-*', 'tandem-line-*', 'tandem-haproxy.service', 'tandem-keepalived.service']
  /** Main pids of each instance, HAProxy and keepalived, on both machines. */
  async function pidsOf(units = watched): Promise<string[]> {
    const said = await Promise.all(
      serving.map((name) => pair.lab.machine(name).must(['systemctl', 'show', '--property=Id,MainPID', ...units])),
    )
    return said.flatMap((one) => one.trim().split('\n\n')).sort()
  }
  const versions = async (): Promise<string[]> => {
    const { machines, controller } = await pair.tandem<{
      controller: { version: string }
      machines: { version: string }[]
    }>('status')
    return [...machines.map((one) => one.version), controller.version]
  }
  /** Problems that status shows. */
  async function problems(): Promise<string[]> {
    const { machines } = await pair.tandem<Status>('status')
    return machines.flatMap((machine) => machine.problems.filter(isOfCluster))
  }
  /** Leftover units of a trial. */
  const leftOver = async (machine: LabMachine): Promise<string> =>
    (await machine.run(['sh', '-c', 'ls /etc/systemd/system | grep trial'])).out

  it('begins at the previous build', ({ skip }) => {
    skip(!hasPrevious, 'this clone does not hold its commit: this build, with another version, takes its place')
    expect(hasPrevious).toBe(true)
  })

  it(
    'rolls back automatically from a version that exits at its start: no process of a service ends, nothing is lost',
    long,
    async () => {
      spoilt('crashing', '0.2.1', 'agent', 'process.exit(3)')
      const pids = await pidsOf()
      beginLoad()
      const { exit, upgrade: done } = await upgrade('crashing')
      expect(done).toMatchObject({
        state: 'reverted',
        // The trial runs the installed version's program, which may be older.
        reason: expect.stringMatching(/(exits|ends) at its start/),
      })
      expect(exit).toBe(1)
      expect(await versions()).toEqual([before, before, before])
      expect(await pidsOf()).toEqual(pids)
      await endLoad()
      expect(await problems()).toEqual([])
      for (const machine of pair.lab.machines) expect(await leftOver(machine)).toBe('')
    },
  )

  it('rolls back automatically from a version that never connects to the controller', long, async () => {
    spoilt('silent', '0.2.2', 'agent', 'setInterval(() => {}, 1000)')
    const pids = await pidsOf()
    beginLoad()
    const { upgrade: done } = await upgrade('silent')
    expect(done).toMatchObject({
      state: 'reverted',
      reason: expect.stringMatching(/did not confirm|was not seen to work/),
    })
    expect(await versions()).toEqual([before, before, before])
    expect(await pidsOf()).toEqual(pids)
    await endLoad()
  })

  it('rolls back everywhere if the controller of the new version does not start', long, async () => {
    spoilt('headless', '0.2.3', 'controller', 'process.exit(3)')
    const pids = await pidsOf()
    beginLoad()
    const { exit, upgrade: done } = await upgrade('headless')
    expect(done?.parts.map(({ part, state }) => [part, state])).toEqual([
      ['a', 'reverted'],
      ['b', 'reverted'],
      ['@controller', 'failed'],
    ])
    expect(exit).toBe(1)
    expect(await versions()).toEqual([before, before, before])
    expect(await pidsOf()).toEqual(pids)
    await endLoad()
    for (const machine of pair.lab.machines) expect(await leftOver(machine)).toBe('')
  })

  it('upgrades machines and controller under load and during a rollout, which completes', long, async () => {
    beginLoad()
    const lines = await pidsOf(['tandem-line-*'])
    const rolling = pushWeb()
    const { exit, upgrade: done } = await upgrade('new')
    expect(done?.parts.map(({ part, state }) => [part, state])).toEqual([
      ['a', 'done'],
      ['b', 'done'],
      ['@controller', 'done'],
    ])
    expect(exit).toBe(0)
    expect((await rolling).rollout?.state).toBe('completed')
    await pushWeb()
    expect(await versions()).toEqual([after, after, after])
    expect(await pidsOf(['tandem-line-*'])).toEqual(lines)
    await endLoad()
    for (const machine of pair.lab.machines) expect(await leftOver(machine)).toBe('')
    expect(await problems()).toEqual([])
    expect(await pair.tandem('upgrade', '/media/packages/new')).toMatchObject({ exit: 0, upgrade: null })
  })

  it('still runs the new version after a reboot, beside the installed one', long, async () => {
    watch.gone('a')
    await pair.lab.machine('a').reboot()
    await watch.watch('a')
    await pair.until('ready')
    expect((await versions()).slice(0, 2)).toEqual([after, after])
    expect(await pair.lab.machine('a').must(['tandem', '--version'])).toBe(`${before}\n`)
  })

  it(
    'continues a trial that was interrupted before its unit ran; an older agent works under the newer controller',
    long,
    async () => {
      const b = pair.lab.machine('b')
      const trial = { key: 'cut-off/back', unit: 'tandem-agent.service', to: null, from: null, withinMs: 30_000 }
      b.write('/var/lib/tandem/program/trial.json', JSON.stringify(trial), 0o644)
      await b.must(['systemctl', 'kill', '--signal=KILL', 'tandem-agent'])
      await expect.poll(versions, { timeout: 30_000 }).toEqual([after, before, after])
      beginLoad()
      await pushWeb()
      const { upgrade: done } = await upgrade('new')
      expect(done).toMatchObject({ state: 'completed', parts: [{ part: 'b', from: before, state: 'done' }] })
      expect(await versions()).toEqual([after, after, after])
      await endLoad()
    },
  )
  it(
    `finishes when it is run again, after kills of any part of Tandem at any moment (${kills} kills, TANDEM_SEED=${seed})`,
    { timeout: 600_000 + kills * 15_000 },
    async () => {
      const random = seededRandom(seed)
      const pids = await pidsOf()
      beginLoad()
      for (let killed = 0; killed < kills;) {
        const to = (await versions())[2] === after ? { name: 'old', version: before } : { name: 'new', version: after }
        const over = new AbortController()
        const killing = killAtRandom(random, Math.min(killsEach, kills - killed), over.signal)
        await upgradeWhileKilled(to.name)
        over.abort()
        const done = await killing
        killed += done
        await untilOver()
        await upgradeAgain(to.name)
        expect(await versions()).toEqual([to.version, to.version, to.version])
        console.log(`${done} kills on the way to ${to.version}`)
      }
      expect(await pidsOf()).toEqual(pids)
      await endLoad().catch(async (error: unknown) => {
        console.log(await told())
        throw error
      })
      for (const machine of pair.lab.machines) expect(await leftOver(machine)).toBe('')
    },
  )

  it('a machine that left after an upgrade joins again, with the installed version', long, async () => {
    const b = pair.lab.machine('b')
    await b.must(installCommand(newPackage))
    await b.must(['tandem', 'agent', 'leave', '--purge', '--remove-data'])
    expect((await b.must(['ls', '/etc/systemd/system'])).split('\n').filter((one) => one.startsWith('tandem'))).toEqual(
      [],
    )
    await pair.join('b')
    await pair.until('ready')
    await expect.poll(async () => (await versions())[1], { timeout: 30_000 }).toBe(after)
    await pair.until('ready')
    expect(await problems()).toEqual([])
  })

  /** Pattern of the command that a person typed. */
  const command = 'tandem upgrade'
  const victims = [
    ...['tandem-*-trial.service', 'tandem-agent.service tandem-controller.service'],
    'tandem-privileged.service tandem-guard.service',
    command,
  ]
  const killCommand = async (): Promise<boolean> =>
    (await pair.controller.run(['pkill', '-KILL', '-f', 'tandem.* upgrade /media'])).code === 0
  /** Kills until it is stopped or has killed this often; returns the number of kills that hit a running process. */
  async function killAtRandom(random: () => number, most: number, signal: AbortSignal): Promise<number> {
    let done = 0
    while (!signal.aborted && done < most) {
      await pause(random() * 1_500)
      const machine = pair.lab.machines[Math.floor(random() * pair.lab.machines.length)]
      const units = victims[Math.floor(random() * victims.length)]
      if (!machine || !units) continue
      if (units === command ? await killCommand() : await killUnits(machine, units)) done++
    }
    return done
  }

  /** Without further kills, waits until the started upgrade ends, successfully or not. */
  async function untilOver(): Promise<void> {
    await pair.until('ready', serving, 60_000)
    const deadline = performance.now() + 200_000
    for (;;) {
      const { upgrade: last } = await pair.tandem<Partial<Upgraded>>('upgrade', '--show')
      // No answer: the controller was killed a moment ago.
      if (last !== undefined && last?.finishedAt !== null) return
      if (performance.now() > deadline) throw new Error(`${JSON.stringify(last)}\n${await told()}`)
      await pause(500)
    }
  }

  /**
   * Repeats the command until it has followed an upgrade to its end: the command itself may be killed, or run too soon.
   */
  async function upgradeWhileKilled(name: string): Promise<void> {
    const typed = ['tandem', 'upgrade', `/media/packages/${name}`]
    const { code } = await pair.controller.run(typed, { timeoutMs: 300_000 })
    expect(code).not.toBe(bugCode)
    if (code < firstSignalCode && !tooSoonCodes.includes(code)) return
    await pause(200)
    await upgradeWhileKilled(name)
  }

  /**
   * An operator would also retry if a controller that was just killed does not answer yet, or has not received all
   * reports.
   */
  async function upgradeAgain(name: string): Promise<void> {
    const deadline = performance.now() + 60_000
    for (;;) {
      const tried = await upgrade(name)
      if (tried.exit === 0) return
      if (!tooSoonCodes.includes(tried.exit) || performance.now() > deadline)
        throw new Error(`${JSON.stringify(tried)}\n${await told()}`)
    }
  }

  /** Records of a trial on each machine. */
  async function told(): Promise<string> {
    const look =
      'tail -n +1 /var/lib/tandem*/program/*.json; systemctl list-units --all --no-legend "tandem-*"; journalctl -n 400 --no-pager -o short-precise -u "tandem-*" | cut -c-400'
    const said = await Promise.all(pair.lab.machines.map((machine) => machine.run(['sh', '-c', look])))
    return said.map(({ out }, index) => `== ${index}\n${out}`).join('\n')
  }
})
