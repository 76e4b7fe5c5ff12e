import type { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { InstanceLog } from '../logs/instanceLog.ts'
import type { ExitStatus, InstanceSpec, MainEnd, ProgramStreams, TerminalSize } from '../supervisor.ts'
import { resizeTerminal } from '../terminals.ts'
import { removeCredentials, withCredentials } from './credentialFolder.ts'
import { endForcibly, endGently, type Ending } from './ending.ts'
import { problem, programOf } from './executable.ts'
import { chooseGate, gateComplaint, type Gate } from './gate.ts'
import type { InstanceOutput } from './instanceOutput.ts'
import { markersOf, type InstanceRecord } from './instanceRecord.ts'
import { findMembers } from './members.ts'
import type { ProcessHouse } from './processHouse.ts'
import { stillRuns, type ProcessInfo } from './processTable.ts'
import type { SocketTable } from './sockets.ts'
import { spawnGate, type Born } from './spawnGate.ts'

/**
 * One running program and all processes it starts. Its states: starting (the gate is spawned, recorded, grouped,
 * opened), running, ending (the first process is gone, or `end` was called) and over (no process is left, the output is
 * kept, the record and control groups are removed). A state never goes back to an earlier one.
 */
export class ProcessInstance {
  readonly spec: InstanceSpec
  readonly pid: number
  /** Standard streams of an attached program. */
  readonly streams: ProgramStreams | undefined
  readonly #house: ProcessHouse
  readonly #log: InstanceLog
  readonly #input: Writable
  readonly #groups: string[]
  readonly #output: InstanceOutput
  readonly #exited: Promise<{ code: number | null; signal: string | null }>
  #started = ''
  #alive = true
  #asked = false
  #listener: ProcessInfo | null = null
  #members: { at: number; pids: number[] } | null = null
  #ending: Promise<void> | null = null

  private constructor(house: ProcessHouse, spec: InstanceSpec, log: InstanceLog, born: Born) {
    this.#house = house
    this.spec = spec
    this.#log = log
    this.#input = born.input
    this.streams = born.streams
    this.#groups = born.groups
    this.#output = born.output
    this.pid = born.pid
    this.#exited = new Promise((resolve) => {
      born.child.once('exit', (code, signal) => {
        this.#alive = false
        resolve({ code, signal })
      })
    })
  }

  /** Resolves once the program executes. Throws if it cannot be executed, and leaves nothing behind. */
  static async start(house: ProcessHouse, wanted: InstanceSpec, log: InstanceLog): Promise<ProcessInstance> {
    const spec = withCredentials(house, wanted)
    try {
      return await ProcessInstance.#begin(house, spec, log)
    } catch (error) {
      removeCredentials(house, spec.id)
      throw error
    }
  }

  static async #begin(house: ProcessHouse, wanted: InstanceSpec, log: InstanceLog): Promise<ProcessInstance> {
    const { spec, executable: file } = programOf(wanted)
    // A path stays as the user wrote it: programs read their argv[0].
    const name = spec.argv[0]?.includes('/') ? spec.argv[0] : file
    const gate = chooseGate(name, spec)
    const born = await spawnGate(house, spec, gate, log)
    const instance = new ProcessInstance(house, spec, log, born)
    try {
      await instance.#open(gate)
      return instance
    } catch (error) {
      await instance.#abandon()
      throw error
    }
  }

  get alive(): boolean {
    return this.#alive
  }

  get asked(): boolean {
    return this.#asked
  }

  /**
   * Sends the stop signal to the main process, then SIGTERM to the processes it leaves, and kills all when the grace
   * has ended. Resolves when no process is left; throws if a process cannot be killed.
   */
  end(): Promise<void> {
    this.#asked ||= this.#alive
    this.#ending ??= this.#clear(true)
    return this.#ending
  }

  /** Resolves when the main process has ended: with its status, or `null` if `end` caused the end. */
  async mainEnd(): Promise<MainEnd | null> {
    const { code, signal } = await this.#exited
    if (this.#asked) return null
    return { id: this.spec.id, pid: this.pid, code, signal, reason: this.#reason(signal) }
  }

  #reason(signal: string | null): ExitStatus['reason'] {
    if (this.#asked) return 'stopped'
    const oomKills = this.#house.cgroups.oomKills(this.#groups)
    return oomKills > 0 && signal === 'SIGKILL' ? 'oom' : signal ? 'signal' : 'exit'
  }

  /** Resolves when the instance has ended completely (state `over`). */
  async over(): Promise<ExitStatus> {
    const { code, signal } = await this.#exited
    this.#ending ??= this.#clear(true)
    const left = await failureOf(this.#ending)
    const oomKills = this.#house.cgroups.oomKills(this.#groups)
    const reason = this.#reason(signal)
    const exit: ExitStatus = { id: this.spec.id, pid: this.pid, code, signal, asked: this.#asked, reason }
    await this.#output.drained()
    this.#log.append('tandem', [...oomWords(oomKills), `ended: ${describeExit(exit)}`])
    // Processes or groups that could not be killed or removed stay on record: the next agent tries again.
    const kept = left ?? (await failureOf(this.#forget()))
    if (kept !== null) this.#log.append('tandem', [`could not remove the whole instance: ${kept}`])
    return exit
  }

  /**
   * Whether a process of the instance listens on `port`: the first process, the one that listened last time, or any
   * other.
   */
  async listens(sockets: SocketTable, port: number): Promise<boolean> {
    const { table } = this.#house
    const known = async (): Promise<number[]> => {
      const last = this.#listener
      return last !== null && (await stillRuns(table, last)) ? [this.pid, last.pid] : [this.pid]
    }
    const owner = await sockets.listener(port, [known, () => this.#memberPids()])
    if (owner === null) return false
    if (owner !== this.pid && owner !== this.#listener?.pid) this.#listener = await table.look(owner)
    return this.#alive
  }

  async resize(size: TerminalSize): Promise<void> {
    await resizeTerminal(
      (await this.#find()).map(({ pid }) => pid),
      size,
    )
  }

  /** The list may be up to `membersMs` old. */
  async #memberPids(): Promise<number[]> {
    const now = this.#house.clock.monotonic()
    if (this.#members === null || now - this.#members.at > this.#house.limits.membersMs) {
      this.#members = { at: now, pids: (await this.#find()).map(({ pid }) => pid) }
    }
    return this.#members.pids
  }

  async #open(gate: Gate): Promise<void> {
    const { table, records, cgroups } = this.#house
    const info = await table.look(this.pid)
    if (info === null) throw new Error(`process ${this.pid} of ${this.spec.id} ended before its program began`)
    this.#started = info.started
    await records.write(await this.#record())
    cgroups.join(this.#groups, this.pid)
    this.#input.write(gate.line)
    await this.#executing(gate)
    this.#output.begun()
    if (!this.spec.attached) this.#input.destroy()
  }

  async #record(): Promise<InstanceRecord> {
    const { id, service, env, stop } = this.spec
    const bootId = await this.#house.table.bootId()
    const markers = markersOf(env)
    return { id, service, pid: this.pid, started: this.#started, bootId, markers, cgroups: this.#groups, stop }
  }

  /**
   * The kernel sends no notification of an exec, so this polls the command line: it changes some milliseconds after the
   * gate opens.
   */
  async #executing(gate: Gate): Promise<void> {
    const { clock, limits, table } = this.#house
    const deadline = clock.monotonic() + limits.execMs
    for (let waitMs = 1; this.#alive; waitMs = Math.min(waitMs + 1, 20)) {
      const line = await table.commandLine(this.pid)
      if (line !== null && line !== '' && !line.includes(gate.token)) return
      if (clock.monotonic() > deadline) {
        throw problem('the program did not start in time', this.spec.argv[0] ?? '', 'check that its disk responds')
      }
      await pause(waitMs)
    }
    const { code, signal } = await this.#exited
    if (code !== 126 && code !== 127 && signal !== 'SIGABRT') return // the program executed and has already ended
    const complaint = gateComplaint(gate, await this.#output.lastWords())
    if (complaint === null) return
    throw problem(
      `the program cannot be executed: ${complaint}`,
      this.spec.argv[0] ?? '',
      'check that it is built for this machine, that its interpreter and libraries are installed, and that its user may execute it',
    )
  }

  /** Kills the process group and the control groups. Does not wait. A process that left both is found by the record. */
  kill(): void {
    this.#house.cgroups.kill(this.#groups)
    try {
      if (this.#alive) process.kill(-this.pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // the group has ended
    }
  }

  async #clear(gently: boolean): Promise<void> {
    const { table, clock, limits, cgroups } = this.#house
    const ending: Ending = {
      table,
      clock,
      group: () => this.pid,
      find: () => this.#find(),
      killCgroups: () => cgroups.kill(this.#groups),
    }
    const main = { pid: this.pid, started: this.#started }
    if (gently && (await endGently(ending, main, this.spec.stop))) return
    await endForcibly(ending, limits.killMs)
  }

  async #find(): Promise<ProcessInfo[]> {
    const { table, cgroups } = this.#house
    const markers = markersOf(this.spec.env)
    const inCgroups = (): Set<number> => cgroups.members(this.#groups)
    // The group is held, so it certainly belongs to this boot.
    return findMembers(table, { pid: this.pid, started: this.#started, bootId: '', markers, inCgroups, held: true })
  }

  async #abandon(): Promise<void> {
    this.#input.destroy()
    await this.#clear(false)
    await this.#exited
    await this.#output.drained()
    await this.#forget()
  }

  async #forget(): Promise<void> {
    removeCredentials(this.#house, this.spec.id)
    await this.#house.cgroups.remove(this.#groups)
    this.#house.records.remove(this.spec.id)
  }
}

async function failureOf(work: Promise<void>): Promise<string | null> {
  try {
    await work
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function oomWords(kills: number): string[] {
  return kills === 0 ? [] : [`the kernel killed ${kills} of its processes: the instance reached limits.memory`]
}

function describeExit({ code, signal, reason }: ExitStatus): string {
  const status = signal === null ? `exit status ${code}` : `signal ${signal}`
  if (reason === 'stopped') return `stopped (${status})`
  return reason === 'oom' ? `out of memory (${status})` : status
}
