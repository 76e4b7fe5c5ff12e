import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { UpgradeView } from '../../src/api/upgrade.ts'
import { failuresOf, line, web } from '../system/rollUnderLoad.ts'
import { AddressWatch } from './addressWatch.ts'
import type { Edit } from './changedBuild.ts'
import { ClientLoad } from './clientLoad.ts'
import type { LabMachine } from './labMachine.ts'
import { entryPort, isOfCluster, Pair, tcpPort } from './pair.ts'
import { hasCommit, previousBuild } from './previousBuild.ts'
import { virtualAddress, withAddress } from './sharedPair.ts'
import { Standstills } from './standstills.ts'
import { Workshop } from './workshop.ts'

/** Versions of the previous build, of this checkout, and of this checkout with `laterVersion`. */
export const [before, present, later] = ['0.1.0', '0.2.0', '0.2.5']
export const data = '/var/lib/tandem'
const drain = 3_000

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

/** Units with their links and drop-ins, users, groups, folders: everything of Tandem's own that an upgrade may change. */
const look = [
  'cd /etc/systemd/system; tail -n +1 $(ls -d tandem-*.service tandem-*.socket | grep -v -e web -e line) ',
  'find /etc/systemd/system -name "tandem-*" -not -name "*web*" -not -name "*line*" -printf "%p %l %m %u %g\\n" | sort',
  'getent passwd | grep tandem | grep -v -e web -e line; getent group | grep tandem | grep -v -e web -e line',
  `stat -c "%n %a %U %G" ${data} ${data}/program ${data}/cache ${data}/haproxy ${data}/supervisor /var/lib/tandem-* /etc/tandem /etc/tandem/*`,
  'systemctl show -p Id,ActiveState,NeedDaemonReload,UnitFileState tandem-agent.service tandem-privileged.socket tandem-controller.service',
].join('; ')

export interface Upgraded {
  upgrade: UpgradeView | null
  exit: number
}

/**
 * A pair that joined with the previous build, and is upgraded: with a virtual address, an HTTP service and a TCP
 * service. The builds are in `/media/packages` on each machine, under the names `old`, `new` and `later`.
 */
export class UpgradedPair {
  readonly pair: Pair
  /** False if this clone lacks the previous build: this build, with the version of that one, takes its place. */
  readonly hasPrevious: boolean
  /** Debian package of this checkout. */
  readonly newPackage: string
  /** Everything of Tandem's own parts on each machine, at the build that all joined with. */
  joined: string[] = []
  readonly #workshop: Workshop
  readonly #watch: AddressWatch
  #load: ClientLoad | null = null
  #webVersion = 0
  /** Changes of the address before the load began. */
  readonly #standstills = new Standstills()
  #moves = 0

  static async open(): Promise<UpgradedPair> {
    const workshop = new Workshop('upgrade')
    try {
      const hasPrevious = await hasCommit(previousBuild)
      const old = hasPrevious ? { commit: previousBuild, version: before } : { version: before }
      const debianPackage = await workshop.add(old, 'old')
      const newPackage = await workshop.add({ version: present }, 'new')
      await workshop.add({ edits: laterVersion, version: later }, 'later')
      const pair = await Pair.open({ ...withAddress, debianPackage })
      const opened = new UpgradedPair(pair, { workshop, hasPrevious, newPackage })
      try {
        await opened.#serve()
        return opened
      } catch (error) {
        await opened.close()
        throw error
      }
    } catch (error) {
      workshop.close()
      throw error
    }
  }

  private constructor(
    pair: Pair,
    { workshop, hasPrevious, newPackage }: { workshop: Workshop; hasPrevious: boolean; newPackage: string },
  ) {
    this.pair = pair
    this.hasPrevious = hasPrevious
    this.newPackage = newPackage
    this.#workshop = workshop
    this.#watch = new AddressWatch(pair.lab, virtualAddress)
  }

  /** The machines that serve. */
  get serving(): LabMachine[] {
    return ['a', 'b'].map((name) => this.pair.lab.machine(name))
  }

  async #serve(): Promise<void> {
    for (const { name } of this.serving) await this.#watch.watch(name)
    await this.pushWeb()
    // The previous build does not accept the key `expose`, and its ports are public.
    const expose = this.hasPrevious ? '' : ', expose: public'
    const text = line({ name: 'line', version: '1', drain, more: `routes: [{ port: ${tcpPort}${expose} }]\n` })
    await this.pair.roll('line', text, 'line.mjs')
    this.joined = await this.parts()
  }

  pushWeb() {
    return this.pair.roll('web', web({ name: 'web', version: String(++this.#webVersion), drain }))
  }

  upgrade(name: string): Promise<Upgraded> {
    return this.pair.tandem<Upgraded>('upgrade', `/media/packages/${name}`)
  }

  /** Versions of a, b and the controller. */
  async versions(): Promise<string[]> {
    const { machines, controller } = await this.pair.status()
    return [...machines.map((one) => one.version ?? '?'), controller.version]
  }

  /** Problems that status shows. */
  async problems(): Promise<string[]> {
    const { machines } = await this.pair.status()
    return machines.flatMap((machine) => machine.problems.filter(isOfCluster))
  }

  /** Main pids of each instance, HAProxy and keepalived, on both machines. */
  async pids(
    units = ['tandem-web-*', 'tandem-line-*', 'tandem-haproxy.service', 'tandem-keepalived.service'],
  ): Promise<string[]> {
    const said = await Promise.all(
      this.serving.map((machine) => machine.must(['systemctl', 'show', '--property=Id,MainPID', ...units])),
    )
    return said.flatMap((one) => one.trim().split('\n\n')).sort()
  }

  /** Everything of Tandem's own parts on that machine. */
  async partsOn(machine: LabMachine): Promise<string> {
    return (await machine.run(['sh', '-c', `${look} 2>&1`])).out
  }

  /** The same on every machine. */
  parts(): Promise<string[]> {
    return Promise.all(this.pair.lab.machines.map((machine) => this.partsOn(machine)))
  }

  /** Names of the units that a trial or a change of parts left. */
  async leftOver(): Promise<string[]> {
    const units = ['sh', '-c', 'ls /etc/systemd/system | grep -e trial -e parts']
    const found = await Promise.all(this.pair.lab.machines.map((machine) => machine.run(units)))
    return found.map(({ out }) => out).filter((out) => out !== '')
  }

  /**
   * Adds the later build under that name, with a part that runs `trouble` at its start; it reports `version` like a
   * working one.
   */
  addBroken(
    name: string,
    { version, part, trouble }: { version: string; part: 'agent' | 'controller'; trouble: string },
  ): void {
    const folder = join(this.#workshop.folder, name)
    cpSync(join(this.#workshop.folder, 'later'), folder, { recursive: true })
    const about = join(folder, 'package.json')
    writeFileSync(about, readFileSync(about, 'utf8').replace(later, version))
    const main = join(folder, 'lib/main.js')
    renameSync(main, main.replace('main.js', 'real.js'))
    const isPart = `process.argv.includes('${part}') && process.argv.includes('run')`
    const go = `else await import('./real.js')`
    writeFileSync(main, `import { existsSync } from 'node:fs'\nif (${isPart} && ${trouble}\n${go}\n`)
  }

  /** Restarts the machine; its address may move meanwhile. */
  async reboot(name: string, how: 'in order' | 'power lost'): Promise<void> {
    const machine = this.pair.lab.machine(name)
    this.#watch.gone(name)
    if (how === 'in order') await machine.reboot()
    else {
      await machine.kill()
      await machine.boot()
    }
    await this.#watch.watch(name)
  }

  beginLoad(): void {
    expect(this.#watch.holders).toHaveLength(1)
    this.#moves = this.#watch.changes.length
    const { lab, entries, tcpEntries: tcp } = this.pair
    const all = [...entries, `http://${virtualAddress}:${entryPort}`]
    this.#load = new ClientLoad(lab, { entries: all, perSecond: 200, tcp, drainMs: drain })
  }

  /**
   * Checks that no request was lost meanwhile, and that the address did not move, unless the whole computer stood still
   * just before.
   */
  async endLoad(): Promise<void> {
    const moves = this.#watch.changes.slice(this.#moves)
    if (moves.length > 0) console.log('the address moved', { moves, standstills: this.#standstills.all })
    expect(moves.filter(({ at }) => !this.#standstills.before(at))).toEqual([])
    const result = await this.#load?.stop()
    this.#load = null
    if (!result) throw new Error('no load was started')
    expect(failuresOf(result)).toEqual([])
    expect(result.requests).toBeGreaterThan(500)
  }

  /** Ends the load of a test that failed. */
  dropLoad(): void {
    this.#load?.kill()
    this.#load = null
  }

  /** Records of a trial on each machine, and what Tandem said: around the first move of the address, or last. */
  async told(): Promise<string> {
    const [moved] = this.#watch.changes.slice(this.#moves)
    const seconds = (ms: number): string => `@${((moved?.at ?? 0) + ms) / 1_000}`
    const when = moved ? `--since=${seconds(-10_000)} --until=${seconds(3_000)}` : '-n 400'
    const words = `tail -n +1 /var/lib/tandem*/program/*.json; systemctl list-units --all --no-legend "tandem-*"; journalctl ${when} --no-pager -o short-precise -u "tandem-*" | cut -c-400`
    const said = await Promise.all(this.pair.lab.machines.map((machine) => machine.run(['sh', '-c', words])))
    return said.map(({ out }, index) => `== ${index}\n${out}`).join('\n')
  }

  async close(): Promise<void> {
    this.#watch.close()
    await this.#standstills.close()
    await this.pair.close()
    this.#workshop.close()
  }
}
