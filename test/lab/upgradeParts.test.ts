import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { UpgradeView } from '../../src/api/upgrade.ts'
import type { Status } from '../../src/api/views.ts'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { agentParts, controllerParts, digestOf } from '../../src/parts/parts.ts'
import { failuresOf, web } from '../system/rollUnderLoad.ts'
import type { Edit } from './changedBuild.ts'
import { ClientLoad } from './clientLoad.ts'
import { killUnits } from './killUnits.ts'
import type { LabMachine } from './labMachine.ts'
import { installCommand, Pair } from './pair.ts'
import { hasCommit } from './previousBuild.ts'
import { whyNoLab } from './requirements.ts'
import { Workshop } from './workshop.ts'

const why = whyNoLab()
const bootMs = 700_000 // the first run installs the machines' system
const long = { timeout: 400_000 }
const { seed, count: kills } = randomRun('parts_kills', { check: 3, soak: 100 })
/** A build whose upgrades change only the command line of a unit, and which knows nothing of other parts. */
const firstBuild = '1cc90836c990992842991b8b5a41703f42b9b82f'
const [before, present, later] = ['0.1.0', '0.2.0', '0.2.5']
const data = '/var/lib/tandem'

/** A later version of Tandem: a unit with another line, a new part with its socket, user, group and folder. */
const laterVersion: Edit[] = [
  ['src/parts/unitTexts.ts', "'ProtectHostname=yes',", "'ProtectHostname=yes',\n  'KeyringMode=private',"],
  ['src/parts/parts.ts', 'users: [agentUser, haproxyUser],', "users: [agentUser, haproxyUser, 'tandem_probe'],"],
  [
    'src/parts/parts.ts',
    '    groups: [],\n    folders: [',
    "    groups: ['tandem_probes'],\n    folders: [\n" +
      "      { path: '/var/lib/tandem-probe', mode: 0o750, owner: 'tandem_probe', group: 'tandem_probes' },",
  ],
  [
    'src/parts/parts.ts',
    '    units: [\n',
    `    units: [
      {
        name: 'tandem-probe.service',
        text: \`# Written by Tandem
[Unit]
Description=A part that this version adds
[Service]
User=tandem_probe
ExecStart=\${command('tandem-probe.service', ['--version']).join(' ')}
StandardInput=socket
StandardOutput=socket
StandardError=journal
\`,
        isEnabled: false,
        words: ['--version'],
      },
      {
        name: 'tandem-probe.socket',
        text: \`# Written by Tandem
[Socket]
ListenStream=/run/tandem-probe.sock
Accept=no
[Install]
WantedBy=sockets.target
\`,
        isEnabled: true,
        words: null,
      },
`,
  ],
]

interface Upgraded {
  upgrade: UpgradeView | null
  exit: number
}

describe.skipIf(why)(`the units of an upgraded machine${why ? ` (skipped: ${why})` : ''}`, () => {
  let pair: Pair
  const workshop = new Workshop('parts')
  let load: ClientLoad | null = null
  let isHere = false
  let presentPackage = ''
  /** Everything of Tandem's own parts on each machine, at the build that all joined with. */
  let joined: string[]
  beforeAll(async () => {
    isHere = await hasCommit(firstBuild)
    if (!isHere) return
    const debianPackage = await workshop.add({ commit: firstBuild, version: before }, 'old')
    presentPackage = await workshop.add({ version: present }, 'present')
    await workshop.add({ edits: laterVersion, version: later }, 'later')
    pair = await Pair.open({ debianPackage })
    await pair.roll('web', web({ name: 'web', version: '1', drain: 3_000 }))
    joined = await partsEverywhere()
  }, bootMs)
  afterEach(() => {
    load?.kill()
    load = null
  })
  afterAll(async () => {
    await pair?.close()
    workshop.close()
  })

  const upgrade = (name: string): Promise<Upgraded> => pair.tandem<Upgraded>('upgrade', `/media/packages/${name}`)
  const beginLoad = (): void =>
    void (load = new ClientLoad(pair.lab, { entries: pair.entries, perSecond: 200, tcp: [] }))
  async function endLoad(): Promise<void> {
    const result = await load?.stop()
    load = null
    expect(result && failuresOf(result)).toEqual([])
    expect(result?.requests).toBeGreaterThan(300)
  }
  /** Units with their links and drop-ins, users, groups, folders; everything that an upgrade may change. */
  const look = [
    'cd /etc/systemd/system; tail -n +1 $(ls -d tandem-*.service tandem-*.socket | grep -v -e web) ',
    'find /etc/systemd/system -name "tandem-*" -not -name "*web*" -printf "%p %l %m %u %g\\n" | sort',
    'getent passwd | grep tandem | grep -v web; getent group | grep tandem | grep -v web',
    `stat -c "%n %a %U %G" ${data} ${data}/program ${data}/cache ${data}/haproxy ${data}/supervisor /var/lib/tandem-* /etc/tandem /etc/tandem/*`,
    'systemctl show -p Id,ActiveState,NeedDaemonReload,UnitFileState tandem-agent.service tandem-privileged.socket tandem-controller.service',
  ].join('; ')
  const partsOn = async (machine: LabMachine): Promise<string> => (await machine.run(['sh', '-c', `${look} 2>&1`])).out
  const partsEverywhere = (): Promise<string[]> => Promise.all(pair.lab.machines.map(partsOn))
  const serving = ['a', 'b'].map((name) => () => pair.lab.machine(name))
  const routing = (): Promise<string[]> =>
    Promise.all(
      serving.map((machine) =>
        machine().must(['systemctl', 'show', '-p', 'Id,MainPID', 'tandem-haproxy.service', 'tandem-web-*']),
      ),
    )
  const versions = async (): Promise<string[]> => {
    const { machines, controller } = await pair.tandem<Status>('status')
    return [...machines.map((one) => one.version ?? '?'), controller.version]
  }
  /** The upgrade to a version that stops under the units that it installs; `part`: the process that stops. */
  function broken(name: string, version: string, part: 'agent' | 'controller', condition: string): void {
    cpSync(join(workshop.folder, 'later'), join(workshop.folder, name), { recursive: true })
    const about = join(workshop.folder, name, 'package.json')
    writeFileSync(about, readFileSync(about, 'utf8').replace(later, version))
    const main = join(workshop.folder, name, 'lib/main.js')
    renameSync(main, main.replace('main.js', 'real.js'))
    const isStopped = `process.argv.includes('${part}') && process.argv.includes('run') && (${condition})`
    writeFileSync(
      main,
      `import { existsSync } from 'node:fs'\nif (${isStopped}) process.exit(3)\nelse await import('./real.js')\n`,
    )
  }
  const needsFirstBuild = (skip: (condition: boolean, note: string) => void): void =>
    skip(!isHere, 'this clone does not hold the commit of the first build')

  it(
    'are exactly those of before when the new version fails under its own units, users and folders',
    long,
    async ({ skip }) => {
      needsFirstBuild(skip)
      broken('failing', '0.2.6', 'agent', "existsSync('/run/tandem-probe.sock')")
      const pids = await routing()
      beginLoad()
      const { exit, upgrade: done } = await upgrade('failing')
      expect(done).toMatchObject({ state: 'reverted' })
      expect(exit).toBe(1)
      await expect.poll(partsEverywhere, { timeout: 20_000 }).toEqual(joined)
      expect(await versions()).toEqual([before, before, before])
      expect(await routing()).toEqual(pids)
      await endLoad()
    },
  )

  it(
    'are exactly those of before when the controller of the new version fails, after the machines have changed',
    long,
    async ({ skip }) => {
      needsFirstBuild(skip)
      broken('headless', '0.2.7', 'controller', 'true')
      const pids = await routing()
      beginLoad()
      const { upgrade: done } = await upgrade('headless')
      expect(done?.parts.map(({ part, state }) => [part, state])).toEqual([
        ['a', 'reverted'],
        ['b', 'reverted'],
        ['@controller', 'failed'],
      ])
      await expect.poll(partsEverywhere, { timeout: 20_000 }).toEqual(joined)
      expect(await routing()).toEqual(pids)
      await endLoad()
    },
  )

  it(
    `are exactly those of before after kills at any moment of a failing upgrade (${kills} kills, TANDEM_SEED=${seed})`,
    { timeout: 600_000 + kills * 30_000 },
    async ({ skip }) => {
      needsFirstBuild(skip)
      const random = seededRandom(seed)
      const pids = await routing()
      beginLoad()
      for (let killed = 0; killed < kills;) {
        const over = new AbortController()
        const killing = killAtRandom(random, 3, over.signal)
        await upgrade('failing')
        over.abort()
        killed += await killing
        await expect.poll(versions, { timeout: 60_000 }).toEqual([before, before, before])
        await expect.poll(partsEverywhere, { timeout: 60_000 }).toEqual(joined)
      }
      expect(await routing()).toEqual(pids)
      await endLoad()
    },
  )

  it(
    'are those of the new version after an upgrade of machines that joined with the first build',
    long,
    async ({ skip }) => {
      needsFirstBuild(skip)
      const pids = await routing()
      beginLoad()
      const { exit, upgrade: done } = await upgrade('present')
      expect(done).toMatchObject({ state: 'completed' })
      expect(exit).toBe(0)
      expect(await versions()).toEqual([present, present, present])
      for (const name of ['a', 'b', 'controller']) {
        const machine = pair.lab.machine(name)
        const { units } = name === 'controller' ? await controllerWanted(machine) : await agentWanted(machine, name)
        for (const unit of units)
          expect(await machine.must(['cat', `/etc/systemd/system/${unit.name}`])).toBe(unit.text)
        const folder = name === 'controller' ? `${data}-controller` : data
        const record = JSON.parse(await machine.must(['cat', `${folder}/program/parts.json`])) as { digest: string }
        expect(record.digest).toBe(digestOf(name === 'controller' ? 'controller' : 'agent'))
        expect(await machine.must(['sh', '-c', 'ls /etc/systemd/system | grep -e trial -e parts || true'])).toBe('')
        expect(await machine.must(['systemctl', 'show', '-p', 'NeedDaemonReload', '--value', 'tandem-*'])).not.toMatch(
          'yes',
        )
      }
      expect(await routing()).toEqual(pids)
      await endLoad()
    },
  )

  it('get a new part of a later version, its socket, user, group and folder', long, async ({ skip }) => {
    needsFirstBuild(skip)
    const pids = await routing()
    beginLoad()
    expect((await upgrade('later')).upgrade).toMatchObject({ state: 'completed' })
    expect(await versions()).toEqual([later, later, later])
    for (const machine of serving) {
      expect(await machine().must(['cat', '/etc/systemd/system/tandem-agent.service'])).toContain('KeyringMode=private')
      expect(await machine().must(['stat', '-c', '%a %U %G', '/var/lib/tandem-probe'])).toBe(
        '750 tandem_probe tandem_probes\n',
      )
      expect(await machine().must(['systemctl', 'is-active', 'tandem-probe.socket'])).toBe('active\n')
      // The new part runs the new program, and so does every unit after a reboot.
      expect(await machine().must(['cat', '/etc/systemd/system/tandem-probe.service.d/program.conf'])).toContain(
        '/releases/',
      )
    }
    expect(await routing()).toEqual(pids)
    await endLoad()
  })

  it(
    'are those of the present version again after a return to it, also when the power fails meanwhile',
    long,
    async ({ skip }) => {
      needsFirstBuild(skip)
      const a = pair.lab.machine('a')
      const going = upgrade('present')
      await expect
        .poll(async () => (await a.run(['test', '-e', `${data}/program/parts-change.json`])).code, {
          timeout: 60_000,
          interval: 50,
        })
        .toBe(0)
      await a.kill()
      await a.boot()
      await going
      await pair.until('ready', ['a', 'b'], 120_000)
      // The upgrade may have given up on the machine: then it is run again, as an operator would.
      await expect.poll(async () => (await upgrade('present')).exit, { timeout: 120_000 }).toBe(0)
      expect(await versions()).toEqual([present, present, present])
      for (const machine of serving) {
        const { units } = await agentWanted(machine(), machine().name)
        for (const unit of units)
          expect(await machine().must(['cat', `/etc/systemd/system/${unit.name}`])).toBe(unit.text)
        expect(await partsOn(machine())).not.toContain('probe')
      }
    },
  )

  it('are exactly those of the first build after a return to it', long, async ({ skip }) => {
    needsFirstBuild(skip)
    const pids = await routing()
    beginLoad()
    expect((await upgrade('old')).upgrade).toMatchObject({ state: 'completed' })
    expect(await versions()).toEqual([before, before, before])
    // This version runs as an upgrade here, beside the same installed version: only the drop-ins differ.
    expect((await partsEverywhere()).map(withoutDropIns)).toEqual(joined.map(withoutDropIns))
    expect(await routing()).toEqual(pids)
    await endLoad()
  })

  it('are those of a package that replaces the first build', long, async ({ skip }) => {
    needsFirstBuild(skip)
    const b = pair.lab.machine('b')
    await b.must(['tandem', 'agent', 'leave', '--purge', '--remove-data'])
    await pair.join('b')
    await pair.until('ready')
    await expect.poll(async () => (await b.run(['systemctl', 'is-active', 'tandem-haproxy.service'])).code).toBe(0)
    const { units: wanted } = await agentWanted(b, 'b')
    await b.must(installCommand(presentPackage))
    for (const { name, text } of wanted) {
      await expect.poll(() => b.must(['cat', `/etc/systemd/system/${name}`]), { timeout: 60_000 }).toBe(text)
    }
    await expect.poll(async () => (await versions())[1], { timeout: 60_000 }).toBe(present)
    await expect.poll(async () => (await b.run(['sh', '-c', 'ls /etc/systemd/system | grep parts'])).out).toBe('')
    const record = JSON.parse(await b.must(['cat', `${data}/program/parts.json`])) as { digest: string }
    expect(record.digest).toBe(digestOf('agent'))
    expect(await b.must(['sh', '-c', `ls ${data}/program | grep -e change -e parts-of || true`])).toBe('')
    await pair.until('ready')
  })

  const withoutDropIns = (text: string): string =>
    text
      .split('\n')
      .filter((line) => !/\.service\.d/.test(line))
      .join('\n')

  async function commandOf(machine: LabMachine, unit: string): Promise<string[]> {
    const text = await machine.must(['cat', `/etc/systemd/system/${unit}`])
    return (/^ExecStart=(.*)$/m.exec(text)?.[1] ?? '').split(' ')
  }
  async function agentWanted(machine: LabMachine, name: string) {
    const [agent, helper] = [
      await commandOf(machine, 'tandem-agent.service'),
      await commandOf(machine, 'tandem-privileged.service'),
    ]
    expect(agent[0]).toBe('/usr/lib/tandem/bin/node')
    const command = (unit: string): string[] => (unit === 'tandem-agent.service' ? agent : helper)
    return agentParts({ data, name, command, groups: ['systemd-journal', 'tandem_haproxy'] })
  }
  async function controllerWanted(machine: LabMachine) {
    const argv = await commandOf(machine, 'tandem-controller.service')
    return controllerParts({ name: 'lab', command: () => argv }, [])
  }

  const victims = [
    'tandem-agent-trial.service',
    'tandem-agent-parts.service',
    'tandem-agent-parts.service',
    'tandem-agent.service',
    'tandem-privileged.service',
  ]
  /** Returns the number of kills that hit a running process. */
  async function killAtRandom(random: () => number, most: number, signal: AbortSignal): Promise<number> {
    let done = 0
    while (!signal.aborted && done < most) {
      await pause(random() * 800)
      const machine = pair.lab.machine(random() < 0.7 ? 'a' : 'b')
      if (await killUnits(machine, victims[Math.floor(random() * victims.length)] ?? '')) done++
    }
    return done
  }
})
