import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { bootId } from '../../lib/bootId.ts'
import { asOperatorError } from '../asOperatorError.ts'

/** A process, told apart from a later one with the same number. */
export interface ProcessIdentity {
  pid: number
  /** When it started, as the system counts; with the boot, where the count begins there. */
  startedAt: string
}

/** `null` when no such process runs. */
export function identityOf(pid: number): ProcessIdentity | null {
  const startedAt = process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid)
  return startedAt === null ? null : { pid, startedAt }
}

/** proc(5): field 22 of stat, in clock ticks since the boot. The command's name may hold spaces and brackets. */
function startOnLinux(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return null
    return `${bootId()}/${fields[19] ?? ''}`
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw asOperatorError(new Error(`cannot read what process ${pid} is`, { cause: error }))
  }
}

function startByPs(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 1) return null // there is none
    throw asOperatorError(new Error(`cannot ask ps about process ${pid}`, { cause: error }))
  }
}
