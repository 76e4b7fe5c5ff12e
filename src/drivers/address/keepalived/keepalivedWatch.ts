import { readFileSync } from 'node:fs'
import type { KeepalivedFiles } from './keepalivedFiles.ts'

export type KeepalivedState = 'runs' | 'frozen' | 'gone'

/**
 * A keepalived that holds an address wakes up to advertise it; if it has not for this long (ms), it does not advertise
 * the address.
 */
export const stillMs = (advert: number): number => Math.max(500, 3 * advert + 200)

/**
 * State of the two processes of keepalived, from `/proc` (proc(5)). A process stopped by a signal shows at once in its
 * state; a process that hangs elsewhere shows by not waking up while it holds an address.
 */
export class KeepalivedWatch {
  #files: Pick<KeepalivedFiles, 'keepalivedPid' | 'vrrpPid'>
  #proc: string
  #stillMs: number
  #wakes = { count: '', since: 0 }

  /** `advert`: interval of the advertisements of a held address, in ms. */
  constructor(files: Pick<KeepalivedFiles, 'keepalivedPid' | 'vrrpPid'>, advert: number, proc = '/proc') {
    this.#files = files
    this.#stillMs = stillMs(advert)
    this.#proc = proc
  }

  look(now: number, holds: boolean): KeepalivedState {
    const [parent, vrrp] = this.pids()
    if (parent === undefined || vrrp === undefined) return 'gone'
    const states = [parent, vrrp].map((pid) => this.#stateOf(pid))
    if (states.some((state) => state === null || state === 'Z' || state === 'X')) return 'gone'
    if (states.some((state) => state === 'T' || state === 't')) return 'frozen'
    const count = holds ? this.#wakesOf(vrrp) : ''
    if (!holds || count !== this.#wakes.count) this.#wakes = { count, since: now }
    return now - this.#wakes.since > this.#stillMs ? 'frozen' : 'runs'
  }

  /** Everything on this machine stood still: a missing wake-up has no meaning. */
  forgive(now: number): void {
    this.#wakes = { ...this.#wakes, since: now }
  }

  /** From their pid files: keepalived itself, and its VRRP child. */
  pids(): [number | undefined, number | undefined] {
    return [readPid(this.#files.keepalivedPid), readPid(this.#files.vrrpPid)]
  }

  /** The processes that really belong to keepalived: a number may belong to another process by now. */
  living(): number[] {
    return this.pids().flatMap((pid) => (pid !== undefined && this.#stateOf(pid) !== null ? [pid] : []))
  }

  #stateOf(pid: number): string | null {
    const stat = this.#read(pid, 'stat')
    return stat.includes('(keepalived)') ? (stat.slice(stat.lastIndexOf(')') + 2)[0] ?? null) : null
  }

  #wakesOf(pid: number): string {
    return /^voluntary_ctxt_switches:\s*(\d+)/m.exec(this.#read(pid, 'status'))?.[1] ?? ''
  }

  #read(pid: number, file: string): string {
    try {
      return readFileSync(`${this.#proc}/${pid}/${file}`, 'utf8')
    } catch {
      return ''
    }
  }
}

function readPid(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10) || undefined
  } catch {
    return undefined
  }
}
