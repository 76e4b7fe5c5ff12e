import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { bootId } from '../lib/bootId.ts'
import { asOperatorError } from '../lib/asOperatorError.ts'

/** Identifies a process, and distinguishes it from a later process with the same pid. */
export interface ProcessIdentity {
  pid: number
  /** Start time as the system counts it; includes the boot id if the count begins at boot. */
  startedAt: string
}

/** Returns `null` if no such process runs. */
export function identityOf(pid: number): ProcessIdentity | null {
  const startedAt = process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid)
  return startedAt === null ? null : { pid, startedAt }
}

/** proc(5): field 22 of stat, in clock ticks since boot. The name of the command may contain spaces and brackets. */
function startOnLinux(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return null
    return `${bootId()}/${fields[19] ?? ''}`
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw asOperatorError(new Error(`cannot read /proc/${pid}/stat`, { cause: error }))
  }
}

function startByPs(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 1) return null // no such process
    throw asOperatorError(new Error(`cannot ask ps about process ${pid}`, { cause: error }))
  }
}
