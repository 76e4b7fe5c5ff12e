import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ProcessInfo, ProcessTable } from './processTable.ts'

const run = promisify(execFile)
/** More than the process list of any laptop. */
const outputBytes = 16 * 1024 * 1024
const timeoutMs = 10_000

/** `ps`, for systems without /proc (macOS). Start times have a resolution of one second there. */
export const psProcessTable: ProcessTable = {
  bootId: async () => (await command('sysctl', ['-n', 'kern.bootsessionuuid'])).trim(),
  list: async () => parsePs(await command('ps', ['-A', '-o', columns])),
  look: async (pid) => parsePs(await orEmpty(command('ps', ['-o', columns, '-p', String(pid)])))[0] ?? null,
  commandLine: async (pid) => (await orEmpty(command('ps', ['-o', 'command=', '-p', String(pid)]))).trim() || null,
  environment: () => Promise.resolve(null),
  startedSince: () => true,
}

const columns = 'pid=,ppid=,pgid=,stat=,lstart='

export function parsePs(text: string): ProcessInfo[] {
  const found: ProcessInfo[] = []
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line)
    if (match === null) continue
    const [, pid, parent, group, state = '', started = ''] = match
    const zombie = state.startsWith('Z')
    found.push({ pid: Number(pid), parent: Number(parent), group: Number(group), session: 0, started, zombie })
  }
  return found
}

async function command(file: string, args: string[]): Promise<string> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' }
  return (await run(file, args, { maxBuffer: outputBytes, timeout: timeoutMs, env })).stdout
}

/** `ps -p` fails if there is no such process. */
async function orEmpty(output: Promise<string>): Promise<string> {
  try {
    return await output
  } catch (error) {
    if (typeof (error as { code?: unknown }).code === 'number') return '' // an exit status, not a failure to run `ps`
    throw error
  }
}
