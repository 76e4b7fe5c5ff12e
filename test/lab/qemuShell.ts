import { createInterface } from 'node:readline'
import type { Socket } from 'node:net'
import type { Outcome } from '../../src/lib/exec.ts'

/** The other end of `qemuGuest/lab-shell`. */
export interface QemuShell {
  /** Runs a shell script on the machine as root; one after the other. */
  run(script: string, timeoutMs: number): Promise<Outcome>
}

interface Asked {
  number: string
  answered: (outcome: Outcome) => void
  failed: (error: Error) => void
}

/** Resolves when the machine reports ready; rejects if the port closes before. */
export async function openQemuShell(port: Socket): Promise<QemuShell> {
  let asked: Asked | null = null
  let last = 0
  let closed: Error | null = null
  const { promise: ready, resolve: isReady, reject: isGone } = Promise.withResolvers<void>()
  createInterface({ input: port }).on('line', (line) => {
    if (line === 'ready') return isReady()
    const [number, code = '', out = '', err = ''] = line.split(' ')
    // Another number belongs to a command whose wait has timed out.
    if (asked?.number === number) asked?.answered({ code: Number(code), out: decode(out), err: decode(err) })
  })
  port.on('error', () => {}) // `close` follows
  port.on('close', () => {
    closed = new Error('the machine has stopped')
    isGone(closed)
    asked?.failed(closed)
  })
  await ready

  const ask = (script: string, timeoutMs: number): Promise<Outcome> =>
    new Promise((answered, failed) => {
      if (closed) throw closed
      const number = String(++last)
      const late = (): void => failed(new Error(`no answer within ${timeoutMs} ms to: ${script}`))
      const timer = setTimeout(late, timeoutMs)
      asked = {
        number,
        answered: (outcome) => {
          clearTimeout(timer)
          answered(outcome)
        },
        failed: (error) => {
          clearTimeout(timer)
          failed(error)
        },
      }
      port.write(`${number} ${Buffer.from(script).toString('base64')}\n`)
    })
  let previous: Promise<unknown> = Promise.resolve()
  return {
    run: (script, timeoutMs) => {
      const answer = previous.then(() => ask(script, timeoutMs))
      previous = answer.catch(() => {})
      return answer
    },
  }
}

/** The text follows a dash, so that an empty text is still a word. */
const decode = (text: string): string => Buffer.from(text.slice(1), 'base64').toString()
