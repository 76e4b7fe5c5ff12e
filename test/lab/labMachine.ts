import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { exec, execOrThrow, type ExecOptions, type Outcome } from '../../src/lib/exec.ts'
import { MachineCgroup } from './machineCgroup.ts'
import type { LabNetwork } from './network.ts'

export interface Bind {
  from: string
  to: string
  /** Default: read-only. */
  writable?: boolean
}

interface About {
  name: string
  /** Unique name of this run, used for the cgroup, the overlay and the machine. */
  fullName: string
  /** Folder that holds the machine's own disk. */
  folder: string
  image: string
  network: LabNetwork
  binds: Bind[]
}

const bootMs = 60_000
const powerOffMs = 30_000
const lookMs = 50
const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  SYSTEMD_PAGER: '',
  SYSTEMD_COLORS: '0',
}
/** Exit status of systemd-nspawn when the machine requested a restart. */
const wantsReboot = 133
/** Writes its pid into the cgroup files (up to `--`), then executes the remaining words. */
const enter = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done; shift; exec "$@"'

/** One machine: systemd as PID 1, a network card, a disk that survives a power loss. */
export class LabMachine {
  readonly name: string
  readonly address: string
  #about: About
  #cgroup: MachineCgroup
  #nspawn: ChildProcess | null = null
  #leader = 0

  constructor(about: About) {
    this.name = about.name
    this.address = about.network.addressOf(about.name)
    this.#about = about
    this.#cgroup = new MachineCgroup(about.fullName)
  }

  /** Creates the disk; called once. */
  async prepare(hosts: string): Promise<void> {
    const { folder, image, fullName } = this.#about
    for (const part of ['disk', 'work', 'root']) mkdirSync(join(folder, part), { recursive: true })
    const layers = `lowerdir=${image},upperdir=${join(folder, 'disk')},workdir=${join(folder, 'work')}`
    await execOrThrow(['mount', '-t', 'overlay', fullName, '-o', layers, join(folder, 'root')])
    this.write('/etc/hostname', `${this.name}\n`)
    this.write('/etc/hosts', hosts)
    this.write('/etc/fstab', '')
    this.write('/etc/machine-id', '')
  }

  get isUp(): boolean {
    return this.#nspawn !== null
  }

  /** The pid of the machine's PID 1 on this computer. */
  get leader(): number {
    if (!this.isUp) throw new Error(`${this.name} is powered off`)
    return this.#leader
  }

  /** Resolves when systemd reports that the machine has booted. */
  async boot(): Promise<void> {
    if (this.#nspawn) throw new Error(`${this.name} runs already`)
    const { name, folder, fullName, network, binds } = this.#about
    await this.#cgroup.remove()
    this.#cgroup.create()
    await network.join(name)
    const console = openSync(join(folder, 'console'), 'a')
    const nspawn = spawn(
      '/bin/sh',
      [
        ...['-c', enter, 'sh', ...this.#cgroup.doors(), '--', 'systemd-nspawn', '--quiet', '-D', join(folder, 'root')],
        ...[
          '-M',
          fullName,
          '--register=no',
          '--keep-unit',
          `--network-namespace-path=/run/netns/${network.namespaceOf(name)}`,
        ],
        ...['--kill-signal=SIGRTMIN+3', '--resolv-conf=off', '--timezone=off', '--link-journal=no', '--console=pipe'],
        ...['--capability=CAP_NET_ADMIN', ...binds.map(bindOption), '/usr/sbin/lab-init'],
      ],
      {
        stdio: ['ignore', console, console],
        // This process handles a Ctrl-C at the terminal.
        detached: true,
        env: { ...environment, SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network' },
      },
    )
    closeSync(console)
    this.#nspawn = nspawn
    nspawn.on('exit', (code) => this.#ended(code))
    await this.#booted()
  }

  /** Folder of this computer with everything that the machine wrote on its disk. */
  get disk(): string {
    return join(this.#about.folder, 'disk')
  }

  /** Runs a command on the machine as root. */
  run(argv: string[], options?: ExecOptions): Promise<Outcome> {
    return exec(this.entering(argv), { ...options, env: { ...environment, ...options?.env } })
  }

  /** Like `run`, but rejects with the output of the command if it fails. */
  must(argv: string[], options?: ExecOptions): Promise<string> {
    return execOrThrow(this.entering(argv), { ...options, env: { ...environment, ...options?.env } })
  }

  /** The command on this computer that runs `argv` on the machine. */
  entering(argv: string[]): string[] {
    const enterAll = ['nsenter', '-t', String(this.leader), '-a', '--wdns=/', '--', ...argv]
    return ['/bin/sh', '-c', enter, 'sh', ...this.#cgroup.doors(), '--', ...enterAll]
  }

  /** Cuts the power: no process on the machine gets a signal first. */
  async kill(): Promise<void> {
    const nspawn = this.#nspawn
    if (!nspawn) return
    process.kill(this.#leader || (nspawn.pid ?? 0), 'SIGKILL')
    await this.#off(nspawn)
  }

  /** Presses the power button: systemd stops every service. */
  async powerOff(): Promise<void> {
    const nspawn = this.#nspawn
    if (!nspawn) return
    nspawn.kill('SIGTERM')
    await this.#off(nspawn)
  }

  async reboot(): Promise<void> {
    await this.powerOff()
    await this.boot()
  }

  /** Writes a file on the disk, whether the machine runs or not. */
  write(path: string, content: string, mode = 0o644): void {
    const file = join(this.#about.folder, 'root', path)
    mkdirSync(dirname(file), { recursive: true })
    // Never follows a link, which would lead to this computer's own files.
    rmSync(file, { force: true })
    writeFileSync(file, content, { mode })
  }

  /** Output of the console. */
  console(): string {
    return readFileSync(join(this.#about.folder, 'console'), 'utf8')
  }

  /** Handles a restart from within, like firmware: boots the machine again. */
  #ended(code: number | null): void {
    this.#nspawn = null
    if (code !== wantsReboot) return
    // A test that waits for the machine fails by its timeout.
    const { network } = this.#about
    const booted = network.leave(this.name).then(() => this.boot())
    booted.catch((error: unknown) => console.error(`${this.name} did not boot again:`, error))
  }

  async #booted(): Promise<void> {
    const deadline = performance.now() + bootMs
    while (this.#nspawn && performance.now() < deadline) {
      this.#leader = firstChild(this.#nspawn.pid ?? 0)
      const { out } = this.#leader ? await this.run(['systemctl', 'is-system-running', '--wait']) : { out: '' }
      if (['running', 'degraded'].includes(out.trim())) return
      await pause(lookMs)
    }
    throw new Error(`${this.name} did not boot: ${this.console()}`)
  }

  async #off(nspawn: ChildProcess): Promise<void> {
    if (nspawn.exitCode === null && nspawn.signalCode === null) {
      const patience = setTimeout(() => nspawn.kill('SIGKILL'), powerOffMs)
      await once(nspawn, 'exit')
      clearTimeout(patience)
    }
    this.#nspawn = null
    this.#leader = 0
    await this.#cgroup.remove()
    await this.#about.network.leave(this.name)
  }
}

function bindOption({ from, to, writable }: Bind): string {
  const colons = (path: string): string => path.replaceAll(':', '\\:')
  return `--bind${writable ? '' : '-ro'}=${colons(from)}:${colons(to)}`
}

function firstChild(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0])
  } catch {
    return 0
  }
}
