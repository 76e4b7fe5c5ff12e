import type { Claimed, ExitStatus, InstanceSpec, MainEnd } from '../supervisor.ts'
import { endedAtOnce, failedStart } from './failedStart.ts'
import type { Journal } from './journal.ts'
import { endingOf, mainHasEnded, nextChange, type Ending, type Life, type ToldEnding } from './life.ts'
import type { StartedMarks } from './startedMarks.ts'
import type { Systemctl, UnitState } from '../../../systemd/systemctl.ts'
import type { UnitRecord } from './unitFiles.ts'
import type { UnitHost } from './unitHost.ts'

/*
 * States of one instance in this driver:
 *   starting  The unit is written and its start requested. Next state: `running`; none if the start fails.
 *   running   The main process lives. Next state when it ends: `between`.
 *   between   systemd restarts the unit in a moment, or a person stopped it and may start it. Next state: `running`; `over`
 *             if its credentials do not open.
 *   over      Tandem stopped the unit, or a one-off program ended. Only its lines in the journal are left.
 */

export interface InstanceHouse {
  /** Reports the state of units; needs no privileges. */
  systemctl: Pick<Systemctl, 'show'>
  /** Changes units. */
  host: UnitHost
  /** Writes a line about the instance for people; never rejects. */
  note: Journal['note']
  marks: StartedMarks
  exited: (exit: ExitStatus) => void
  mainEnded: (end: MainEnd) => void
  restarted: (restarted: { id: string; pid: number }) => void
  /** systemd cannot restart the instance, and nothing of it is left. */
  gaveUp: (id: string) => void
  /** The instance is gone for good. */
  over: (id: string) => void
  /** Unit files have changed that systemd may have read already. */
  stale: () => void
}

/** Time after the grace before processes are reported as unkillable. */
const killMs = 30_000
const startMs = 60_000

export class SystemdInstance {
  readonly record: UnitRecord
  #house: InstanceHouse
  #life: Life | null
  #controlGroup = ''
  #told: ToldEnding | undefined
  /** Pid of the main process that has ended while other processes of its life are left. */
  #endedMain = 0
  #starting: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | null = null
  /** Adopted, and not claimed yet. */
  #isUnclaimed: boolean
  /** Data of an adopted instance from before the adoption. */
  #before: Pick<Claimed, 'startedAt' | 'restarts'> = { startedAt: null, restarts: 0 }

  private constructor(house: InstanceHouse, record: UnitRecord, life: Life | null) {
    this.record = record
    this.#house = house
    this.#life = life
    this.#isUnclaimed = life !== null
  }

  static make(house: InstanceHouse, record: UnitRecord): SystemdInstance {
    return new SystemdInstance(house, record, null)
  }

  /** `startedAt`: when the newest main process began, in milliseconds since 1970. */
  static adopt(house: InstanceHouse, record: UnitRecord, state: UnitState, startedAt: number): SystemdInstance {
    const { mainPid: pid, invocation, controlGroup, restarts } = state
    const instance = new SystemdInstance(house, record, { pid, invocation, running: pid > 0 })
    instance.#controlGroup = controlGroup
    instance.#before = { startedAt: pid > 0 ? startedAt : null, restarts }
    return instance
  }

  get alive(): boolean {
    return this.#life?.running === true && this.#life.pid !== this.#endedMain
  }

  get controlGroup(): string {
    return this.#controlGroup
  }

  get isStopping(): boolean {
    return this.#stopping !== null
  }

  /** Resolves with the pid. If systemd cannot start the unit, nothing of it is left. */
  async start(spec: InstanceSpec): Promise<number> {
    const started = this.#start(spec)
    this.#starting = started.then(
      () => {},
      () => {},
    )
    return started
  }

  async #start(spec: InstanceSpec): Promise<number> {
    const { systemctl, host } = this.#house
    const { unit } = this.record
    const said = await host.start(unit, startMs + (spec.notify?.withinMs ?? 0))
    const state = (await systemctl.show([unit])).get(unit)
    const isStarted = said === null || endedAtOnce(spec, state)
    if (!isStarted || state === undefined || state.lastPid === 0) {
      if (this.#stopping === null) await this.remove()
      throw failedStart(spec, unit, state, said ?? '')
    }
    this.#controlGroup = state.controlGroup
    this.#life = { pid: state.lastPid, invocation: state.invocation, running: true }
    this.#house.marks.set(unit)
    return state.lastPid
  }

  /** Claims an adopted instance. systemd or a person starts it, not this class: also if it does not run now. */
  claim(): Claimed | null {
    if (!this.#isUnclaimed) return null
    this.#isUnclaimed = false
    return { pid: this.alive ? (this.#life?.pid ?? null) : null, port: this.record.port, ...this.#before }
  }

  /** Reports the changes since the last look. Resolves with whether there were any. */
  async look(state: UnitState | undefined): Promise<boolean> {
    const { once, id } = this.record
    let changed = false
    this.#seeMain(state)
    while (this.#life !== null && this.#stopping === null) {
      const change = nextChange(this.#life, state, this.#told)
      if (change === null) break
      changed = true
      if (change.kind === 'ended') {
        this.#life = { ...this.#life, running: false }
        if (once) await this.#over(change.ending)
        else {
          await this.#printed()
          await this.#tell(change.ending, false, true)
        }
      } else if (change.kind === 'gaveUp') await this.#gaveUp()
      else {
        this.#life = change.life
        this.#controlGroup = state?.controlGroup ?? this.#controlGroup
        this.#house.restarted({ id, pid: change.life.pid })
      }
    }
    return changed
  }

  #seeMain(state: UnitState | undefined): void {
    if (state && mainHasEnded(this.#life, state)) this.#mainEnded(state.lastPid, state)
  }

  /** Requests must go elsewhere at once. The end itself is reported later: once all output is written and can be read. */
  #mainEnded(pid: number, ended: Omit<ToldEnding, 'pid'>): void {
    if (!this.alive || this.#stopping !== null) return
    this.#endedMain = pid
    this.#house.mainEnded({ id: this.record.id, ...endingOf(pid, ended, ended.result) })
  }

  /** A one-off program has ended. A removal that fails is retried at the next look. */
  async #over(ending: Ending): Promise<void> {
    this.#stopping = this.#conclude(ending, false)
    try {
      await this.#stopping
    } catch (error) {
      this.#stopping = null
      this.#life = this.#life && { ...this.#life, running: true }
      throw error
    }
  }

  /** A removal that fails is retried at the next look. */
  async #gaveUp(): Promise<void> {
    this.#stopping = this.remove()
    try {
      await this.#stopping
    } catch (error) {
      this.#stopping = null
      throw error
    }
    await this.#note('systemd cannot start it with its secrets; the agent gets them again and starts it', true)
    this.#house.over(this.record.id)
    this.#house.gaveUp(this.record.id)
  }

  told(ending: ToldEnding): void {
    this.#told = ending
    if (ending.pid === this.#life?.pid) this.#mainEnded(ending.pid, ending)
  }

  stop(): Promise<void> {
    if (this.#stopping === null) {
      const stopping = this.#stop()
      this.#stopping = stopping
      // After a failed stop, `stop` can be called again.
      stopping.catch(() => (this.#stopping = null))
    }
    return this.#stopping ?? Promise.resolve()
  }

  async #stop(): Promise<void> {
    const { systemctl, host } = this.#house
    const { unit, withinMs, signal } = this.record
    await host.stop(unit, withinMs + killMs)
    await this.#starting
    const [states] = await Promise.all([systemctl.show([unit]), this.#printed()])
    const state = states.get(unit)
    const life = this.#life
    const told = this.#told?.pid === life?.pid ? this.#told : undefined
    // systemd forgets a stopped unit at once. If no signal reported the ending, the process ended by the stop signal.
    const heeded = { pid: life?.pid ?? 0, code: null, signal, reason: 'signal' as const }
    const isKnown = state !== undefined && state.lastPid === life?.pid && state.code !== 0
    const known = isKnown ? state : told
    const ended = life?.running ? (known ? endingOf(life.pid, known) : heeded) : null
    await this.#conclude(ended, true, state)
  }

  /** Removes the unit, then reports the end. `stopped`: the state of the unit after the stop. */
  async #conclude(ended: Ending | null, asked: boolean, stopped?: UnitState): Promise<void> {
    if (stopped) await this.#forget(stopped.sub === 'failed')
    else {
      await this.remove()
      await this.#printed()
    }
    if (ended) await this.#tell(ended, asked, false)
    else await this.#note('stopped', true)
    this.#house.over(this.record.id)
  }

  async remove(): Promise<void> {
    const { unit, withinMs } = this.record
    await this.#house.host.stop(unit, withinMs + killMs)
    await this.#forget(true)
  }

  async #forget(mayHaveFailed: boolean): Promise<void> {
    const { host, marks, stale } = this.#house
    const { unit } = this.record
    if (mayHaveFailed) await host.resetFailed(unit)
    await host.remove(unit)
    marks.remove(unit)
    stale()
  }

  /**
   * Waits until all output can be read before any listener hears of the end. A failing journal must not delay that
   * report.
   */
  async #printed(): Promise<void> {
    await this.#house.host.syncJournal().catch(() => {}) // then the last lines arrive a little late
  }

  async #tell(ended: Ending, asked: boolean, again: boolean): Promise<void> {
    const reason = asked ? 'stopped' : ended.reason
    await this.#note(
      `ended: ${reason} (${ended.signal ?? ended.code ?? 'status unknown'})${again ? '; systemd restarts it' : ''}`,
      !again,
    )
    if (!again) this.#house.over(this.record.id)
    this.#house.exited({ ...ended, id: this.record.id, asked, reason, ...(again ? { again } : {}) })
  }

  #note(text: string, isOver: boolean): Promise<void> {
    return this.#house.note(this.record.service, this.record.id, text, isOver)
  }
}
