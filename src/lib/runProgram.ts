import { execFile } from 'node:child_process'

export interface Ran {
  code: number
  output: string
}

/** Most output that is kept of a program. */
const outputBytes = 1024 * 1024

/** Runs a program, without a shell. Rejects when it cannot be run or takes too long. */
export function runProgram(program: string, argv: string[], timeoutMs: number): Promise<Ran> {
  return new Promise((resolve, reject) => {
    execFile(program, argv, { timeout: timeoutMs, maxBuffer: outputBytes }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (typeof code === 'number') return resolve({ code, output: `${stdout}${stderr}` })
      reject(new Error(`cannot run ${program} ${argv.join(' ')}`, { cause: error }))
    })
  })
}
