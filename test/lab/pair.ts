import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Status } from '../../src/api/views.ts'
import type { KnownCluster } from '../../src/cli/contexts.ts'
import { patienceMs } from '../../src/lib/testing/patience.ts'
import type { Pushed } from '../system/rollUnderLoad.ts'
import { openLab, type Lab } from './lab.ts'
import type { LabMachine } from './labMachine.ts'
import { serviceNode } from './program.ts'

const root = join(import.meta.dirname, '../..')
export const entryPort = 80
export const tcpPort = 5672
const rolloutMs = 300_000
/** Between two looks of a wait. */
const lookMs = 100
/** The cluster's authority, on the controller's machine. */
const authorityFile = '/root/authority.pem'

/**
 * Ignores this problem: the host of the lab may allow fewer open files than HAProxy needs, which is no fault of the
 * cluster.
 */
export const isOfCluster = (problem: string): boolean =>
  // The second stays for an hour after the hostile service.
  !problem.startsWith('HAProxy may open ') && !problem.includes(' connected to 169.254.169.254')

/** Programs of services, by their names there. */
const programs = {
  'web.mjs': join(root, 'test/services/web.mjs'),
  'line.mjs': join(root, 'test/services/line.mjs'),
  'victim.mjs': join(root, 'test/services/victim.mjs'),
  'hostile.mjs': join(root, 'test/services/hostile.mjs'),
  'filer.mjs': join(root, 'test/system/programs/filer.mjs'),
  'scan.mjs': join(root, 'examples/hostile/scan.mjs'),
}
type Program = keyof typeof programs
const defaultProgram: Program = 'web.mjs'

export interface PairOptions {
  /** `drivers:` of the cluster file. */
  drivers?: string
  /** Additional lines of the cluster file. */
  more?: string
  /** A Debian package to install Tandem from. Default: a bundle of this checkout. */
  debianPackage?: string
  /** The agents start as root, in units that the test writes; joining again converts each to an unprivileged agent. */
  byHand?: boolean
}

/** Path of the package's folder on the machines. */
const packagesFolder = '/media/packages'

/** Installs the package, by the command of a user. */
export const installCommand = (file: string): string[] => ['dpkg', '-i', `${packagesFolder}/${basename(file)}`]

/** First removes the program that the lab's image has at that path. */
export async function installPackage(machine: LabMachine, file: string): Promise<void> {
  await machine.must(['rm', '-f', '/usr/bin/tandem', '/usr/bin/node'])
  await machine.must(installCommand(file))
}

/** A cluster as users have it: a controller's machine and two that serve, founded and joined by the usual commands. */
export class Pair {
  readonly lab: Lab
  #drivers: string
  #more: string
  #byHand: boolean
  #context: KnownCluster | null = null

  static async open(options: PairOptions = {}): Promise<Pair> {
    const { debianPackage } = options
    const packages = debianPackage === undefined ? [] : [{ from: dirname(debianPackage), to: packagesFolder }]
    const binds = debianPackage === undefined ? [] : [...packages, serviceNode()]
    const lab = await openLab({ machines: ['controller', 'a', 'b'], binds, bare: debianPackage !== undefined })
    try {
      if (debianPackage !== undefined) {
        for (const machine of lab.machines) await installPackage(machine, debianPackage)
      }
      const pair = new Pair(lab, options)
      await pair.#found()
      return pair
    } catch (error) {
      await lab.close()
      throw error
    }
  }

  private constructor(
    lab: Lab,
    {
      drivers = process.env['LAB_DRIVERS'] ?? '{ supervisor: systemd, balancer: haproxy, address: none }',
      more = '',
      byHand = false,
    }: PairOptions,
  ) {
    this.lab = lab
    this.#drivers = drivers
    this.#more = more
    this.#byHand = byHand
  }

  get controller(): LabMachine {
    return this.lab.machine('controller')
  }

  /** Entry of each machine. */
  get entries(): string[] {
    return ['a', 'b'].map((name) => `http://${this.lab.machine(name).address}:${entryPort}`)
  }

  get tcpEntries(): string[] {
    return ['a', 'b'].map((name) => `${this.lab.machine(name).address}:${tcpPort}`)
  }

  close(): Promise<void> {
    return this.lab.close()
  }

  /** Runs `tandem ARGS --json` on the controller's machine, and parses the last line of its output. */
  tandem<T = Record<string, unknown>>(...args: string[]): Promise<T & { exit: number; err: string }> {
    return this.tandemOf('tandem', args)
  }

  /** The same with the program of another version. */
  async tandemOf<T>(program: string, args: string[]): Promise<T & { exit: number; err: string }> {
    const { code, out, err } = await this.controller.run([program, ...args, '--json'], { timeoutMs: rolloutMs })
    const last = out.trim().split('\n').at(-1)
    if (!last) throw new Error(`tandem ${args.join(' ')} printed nothing, exit ${code}\n${err}`)
    if (code === 70) {
      const said = await this.controller.run([
        'journalctl',
        '-u',
        'tandem-controller',
        '-n',
        '15',
        '--no-pager',
        '-o',
        'cat',
      ])
      throw new Error(`tandem ${args.join(' ')} met a bug: ${last}\n${err}\n${said.out}`)
    }
    return { ...(JSON.parse(last) as T), exit: code, err } // the caller names the documented type
  }

  /**
   * The answer that `tandem status` prints, without a start of that program: waits ask many times. Rejects while no
   * controller answers.
   */
  async status(): Promise<Status> {
    const { url, token } = await this.context()
    const trust = ['--cacert', authorityFile, '-H', `authorization: Bearer ${token}`]
    const curl = ['curl', '-sS', '--fail', '--max-time', '10', ...trust, `${url}/api/v1/status`]
    return JSON.parse(await this.controller.must(curl)) as Status // the contract names the type
  }

  /** How the controller's machine reaches the cluster. */
  async context(): Promise<KnownCluster> {
    return (this.#context ??= await this.#readContext())
  }

  async #readContext(): Promise<KnownCluster> {
    const context = await this.controller.must(['cat', '/root/.config/tandem/contexts/lab.json'])
    const known = JSON.parse(context) as KnownCluster // written by the founding controller
    this.controller.write(authorityFile, known.authority ?? '')
    return known
  }

  /** Pushes a service of these programs with this definition. */
  async push(name: string, definition: string, ...wanted: Program[]): Promise<Pushed & { err: string }> {
    const folder = `/srv/services/${name}`
    for (const program of wanted.length === 0 ? [defaultProgram] : wanted)
      this.controller.write(`${folder}/${program}`, readFileSync(programs[program], 'utf8'))
    this.#writeTree(join(root, 'node_modules/ws'), `${folder}/node_modules/ws`)
    this.controller.write(`${folder}/tandem.yaml`, definition)
    return this.tandem<Pushed>('push', folder)
  }

  /** Pushes, and throws with all known details unless the rollout completed. */
  async roll(...push: Parameters<Pair['push']>): Promise<Pushed & { err: string }> {
    const pushed = await this.push(...push)
    if (pushed.exit === 0 && pushed.rollout?.state === 'completed') return pushed
    throw new Error(`the push of ${push[0]} failed: ${JSON.stringify(pushed)}\n${await this.#journal(['a', 'b'])}`)
  }

  /** Removes the service with its data; throws unless that succeeds. */
  async remove(service: string): Promise<void> {
    const removed = await this.tandem('remove', service, '--data')
    if (removed.exit !== 0) throw new Error(`could not remove ${service}: ${JSON.stringify(removed)}`)
  }

  /** Applies the cluster file that the pair was opened with, or that one with these changes. */
  async applyCluster(changes: { machines?: readonly string[]; entry?: string; more?: string } = {}): Promise<void> {
    const { machines = ['a', 'b'], entry = `http: ${entryPort}`, more = this.#more } = changes
    const named = machines.map((name) => `  ${name}: { address: ${this.lab.machine(name).address} }\n`)
    this.controller.write(
      '/root/cluster.yaml',
      `cluster: lab\ncontrollers: [${this.controller.address}:7480]\nmachines:\n${named.join('')}` +
        `entry: { ${entry} }\ndrivers: ${this.#drivers}\n${more}`,
    )
    await this.controller.must(['tandem', 'cluster', 'apply', '/root/cluster.yaml', '--force'])
  }

  /** Makes a machine join, by the printed command. */
  async join(name: string, ...more: string[]): Promise<void> {
    const { command } = await this.tandem<{ command: string }>('machine', 'add', name)
    await this.lab.machine(name).must([...command.split(' '), ...more])
  }

  async #joinByHand(name: string): Promise<void> {
    await this.join(name, '--no-start')
    const machine = this.lab.machine(name)
    const unit = '[Service]\nExecStart=tandem agent run\nKillMode=process\n[Install]\nWantedBy=multi-user.target\n'
    machine.write('/etc/systemd/system/tandem-agent.service', unit)
    await machine.must(['systemctl', 'enable', '--now', 'tandem-agent'])
  }

  /** Resolves once every machine reports as `state`. */
  async until(state: string, names: readonly string[] = ['a', 'b']): Promise<void> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      let why: unknown
      const { machines } = await this.status().catch((error: unknown) => ((why = error), { machines: [] }))
      if (names.every((name) => machines.some((one) => one.name === name && one.state === state))) return
      if (performance.now() > deadline) {
        throw new Error(
          `not ${state} within ${patienceMs} ms: ${JSON.stringify(machines)}\n${await this.#journal(names)}`,
          { cause: why },
        )
      }
      await pause(lookMs)
    }
  }

  async #found(): Promise<void> {
    const { address } = this.controller
    await this.controller.must(['tandem', 'controller', 'init', '--cluster', 'lab', '--address', address])
    await this.#answers()
    await this.applyCluster()
    await Promise.all(['a', 'b'].map((name) => (this.#byHand ? this.#joinByHand(name) : this.join(name))))
    await this.until('ready')
  }

  async #answers(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if ((await this.controller.run(['tandem', 'status'])).code === 0) return
    }
    throw new Error(
      `no controller: ${await this.controller.must(['journalctl', '-u', 'tandem-controller', '-n', '50'])}`,
    )
  }

  async #journal(names: readonly string[]): Promise<string> {
    const said = await Promise.all(
      names.map((name) =>
        this.lab
          .machine(name)
          .run(['journalctl', '-u', 'tandem-agent', '-u', 'tandem-haproxy', '-n', '40', '--no-pager']),
      ),
    )
    return said.map(({ out }) => out).join('\n')
  }

  #writeTree(from: string, to: string): void {
    for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      this.controller.write(join(to, path.slice(from.length)), readFileSync(path, 'utf8'))
    }
  }
}
