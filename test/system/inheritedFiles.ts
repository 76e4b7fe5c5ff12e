import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Laptop } from './laptop.ts'
import { processesNaming } from './watch.ts'

/** Exits with 0 only if descriptors 0, 1 and 2 are the only open ones; `ls` itself opens the folder. */
export const onlyThree = `test "$(ls /proc/self/fd | tr '\\n' ' ')" = '0 1 2 3 '`

/** Lines of a definition whose build and `prepare` fail if they inherit an open file. */
export const inheritNothing = `build: { command: ${JSON.stringify(onlyThree)} }
prepare: ${JSON.stringify(['sh', '-c', onlyThree])}`

/** A file that the caller of a command has open: no process of Tandem or of a service may inherit it. */
export class CallersFile {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tandem-inherited-'))
  readonly #path = join(this.#folder, 'secret')
  readonly #fd: number

  constructor() {
    writeFileSync(this.#path, 'for one reader', { mode: 0o600 })
    this.#fd = openSync(this.#path, 'r')
  }

  get inherited(): Record<number, number> {
    return { 7: this.#fd, 57: this.#fd }
  }

  /** Processes of a laptop, except the command itself: those that have the file open, and how many there are. */
  holders(laptop: Laptop): { holders: number[]; processes: number } {
    const pids = processesNaming(laptop.folder).map((said) => Number(said.split(' ', 1)[0]))
    const others = pids.filter((pid) => pid !== laptop.upProcess.pid)
    return { holders: others.filter((pid) => openFiles(pid).includes(this.#path)), processes: others.length }
  }

  remove(): void {
    closeSync(this.#fd)
    rmSync(this.#folder, { recursive: true })
  }
}

function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))]
    } catch {
      return [] // the process has ended meanwhile
    }
  })
}
