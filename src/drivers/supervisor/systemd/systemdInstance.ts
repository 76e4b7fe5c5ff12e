import type { Claimed, ExitStatus, InstanceSpec, MainEnd } from '../supervisor.ts'
import { endedAtOnce, failedStart } from './failedStart.ts'
import type { Journal } from './journal.ts'
import { endingOf, mainHasEnded, nextChange, type Ending, type Life, type ToldEnding } from './life.ts'
import type { StartedMarks } from './startedMarks.ts'
import type { Systemctl, UnitState } from './systemctl.ts'
import type { UnitRecord } from './unitFiles.ts'
import type { UnitHost } from './unitHost.ts'

/*
 * One instance as this driver knows it:
 *   starting  its unit is written and systemd was told to start it. Left for `running`, or for good when that fails.
 *   running   its main process lives. Left for `between` when it ends.
 *   between   systemd starts it again in a moment, and it is `running` again; or a person stopped it, and may start it.
 *   over      stopped by us, or a one-off program that ended: nothing of it is left but its lines in the journal.
 */

export interface InstanceHouse {
  /** Tells how units are; anybody may ask. */
  systemctl: Pick<Systemctl, 'show'>
  /** Changes them. */
  host: UnitHost
  /** A line about it for people; never rejects. */
  note: Journal['note']
  marks: StartedMarks
  exited: (exit: ExitStatus) => void
  mainEnded: (end: MainEnd) => void
  restarted: (restarted: { id: string; pid: number }) => void
  /** It is gone for good. */
  over: (id: string) => void
  /** Unit files have changed that systemd may have read before. */
  stale: () => void
}

/** Beyond the grace: what the kernel does not end in this time is called unkillable. */
const killMs = 30_000
const startMs = 60_000

export class SystemdInstance {
  readonly record: UnitRecord
  #house: InstanceHouse
  #life: Life | null
  #controlGroup = ''
  #told: ToldEnding | undefined
  /** The main process that has ended, of a life of which something is left. */
  #endedMain = 0
  #starting: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | null = null
  /** Adopted, and not yet asked for by anybody. */
  #isUnclaimed: boolean
  /** Of one that was adopted. */
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

  /** `startedAt`: when its newest main process began, milliseconds since 1970. */
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

  /** Resolves with its pid; when systemd cannot start it, nothing of it is left. */
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

  /** For one that was adopted. It is started by systemd or by a person, not by this: also where it does not run now. */
  claim(): Claimed | null {
    if (!this.#isUnclaimed) return null
    this.#isUnclaimed = false
    return { pid: this.alive ? (this.#life?.pid ?? null) : null, port: this.record.port, ...this.#before }
  }

  /** Tells what changed since it was last looked at. Resolves with whether anything did. */
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
      } else {
        this.#life = change.life
        this.#controlGroup = state?.controlGroup ?? this.#controlGroup
        this.#house.restarted({ id, pid: change.life.pid })
      }
    }
    return changed
  }

  #seeMain(state: UnitState | undefined): void {
    const { id } = this.record
    if (!this.alive || this.#stopping !== null || !state || !mainHasEnded(this.#life, state)) return
    this.#endedMain = state.lastPid
    this.#house.mainEnded({ id, ...endingOf(state.lastPid, state, state.result) })
  }

  /** A one-off program has ended. What cannot be removed now is tried again at the next look. */
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

  told(ending: ToldEnding): void {
    this.#told = ending
  }

  stop(): Promise<void> {
    if (this.#stopping === null) {
      const stopping = this.#stop()
      this.#stopping = stopping
      // What could not be ended can be tried again.
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
    // systemd forgets a stopped unit at once; one of which no signal came either heeded ours.
    const heeded = { pid: life?.pid ?? 0, code: null, signal, reason: 'signal' as const }
    const isKnown = state !== undefined && state.lastPid === life?.pid && state.code !== 0
    const known = isKnown ? state : told
    const ended = life?.running ? (known ? endingOf(life.pid, known) : heeded) : null
    await this.#conclude(ended, true, state)
  }

  /** Removes what is left of it, then tells. `stopped`: how the unit is since it was stopped. */
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

  /** Everything that it printed can be read before anybody hears that it ended; but a sick journal keeps nobody waiting for that. */
  async #printed(): Promise<void> {
    await this.#house.host.syncJournal().catch(() => {}) // then its last lines come a little late
  }

  async #tell(ended: Ending, asked: boolean, again: boolean): Promise<void> {
    const reason = asked ? 'stopped' : ended.reason
    await this.#note(
      `ended: ${reason} (${ended.signal ?? ended.code ?? 'status unknown'})${again ? '; systemd starts it again' : ''}`,
      !again,
    )
    if (!again) this.#house.over(this.record.id)
    this.#house.exited({ ...ended, id: this.record.id, asked, reason, ...(again ? { again } : {}) })
  }

  #note(text: string, isOver: boolean): Promise<void> {
    return this.#house.note(this.record.service, this.record.id, text, isOver)
  }
}
