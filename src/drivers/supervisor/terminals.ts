import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { parseTerminal } from './process/procProcessTable.ts'
import type { TerminalSize } from './supervisor.ts'

const run = promisify(execFile)
const sttyMs = 5_000
const environment = { PATH: '/usr/bin:/bin' }

/** Sets the size of the first terminal that controls one of these processes; the kernel tells its programs (SIGWINCH). */
export async function resizeTerminal(pids: readonly number[], { rows, columns }: TerminalSize): Promise<void> {
  const terminal = await terminalOf(pids)
  if (terminal === null) return
  const option = process.platform === 'linux' ? '-F' : '-f'
  await run('stty', [option, terminal, 'rows', String(rows), 'cols', String(columns)], {
    env: environment,
    timeout: sttyMs,
  })
}

async function terminalOf(pids: readonly number[]): Promise<string | null> {
  if (process.platform !== 'linux') return terminalByPs(pids)
  for (const pid of pids) {
    const terminal = terminalByProc(pid)
    if (terminal !== null) return terminal
  }
  return null
}

function terminalByProc(pid: number): string | null {
  try {
    return parseTerminal(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return null // it ended meanwhile
  }
}

async function terminalByPs(pids: readonly number[]): Promise<string | null> {
  if (pids.length === 0) return null
  const { stdout } = await run('ps', ['-o', 'tty=', '-p', pids.join(',')], { env: environment, timeout: sttyMs })
  const found = stdout.split('\n').map((line) => line.trim())
  const name = found.find((line) => /^(ttys|pts\/)\d+$/.test(line))
  return name === undefined ? null : `/dev/${name}`
}
