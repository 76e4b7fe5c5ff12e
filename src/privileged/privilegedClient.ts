import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { z } from 'zod'
import { startTimer } from '../lib/longTimer.ts'
import { answerSchema, errorFrom, wireLimits } from './wire.ts'

/** Requests one operation from the privileged helper. src/machine/features.ts collects the operations. */
export type CallPrivileged = <T>(operation: string, args: unknown, value: z.ZodType<T>, withinMs?: number) => Promise<T>

/** The privileged helper was killed, or is restarting: systemd starts it again with the next connection. */
class Broken extends Error {}

const usualMs = 60_000
/**
 * Each operation is idempotent, so a retry finds it done. The tries take 11 s in all: long enough for connections to
 * come free.
 */
const tries = 10
const betweenMs = 250

/** The socket of a privileged helper, and the unit that listens there. */
interface HelperSocket {
  path: string
  unit: string
}

/** The client of a privileged helper of this machine; `null`: this process is root, or there is no helper. */
export function privilegedHere(socket: HelperSocket): CallPrivileged | null {
  const isRoot = process.getuid?.() === 0
  return isRoot || !existsSync(socket.path) ? null : privilegedClient(socket)
}

export function privilegedClient({ path, unit }: HelperSocket, waitMs = betweenMs): CallPrivileged {
  return async (operation, args, value, withinMs = usualMs) => {
    const line = `${JSON.stringify({ operation, arguments: args })}\n`
    for (let tried = 1; ; tried++) {
      try {
        const answer = answerSchema.parse(JSON.parse(await exchange(path, line, withinMs)))
        if ('error' in answer) throw errorFrom(answer.error)
        return value.parse(answer.value)
      } catch (error) {
        if (!(error instanceof Broken)) throw error
        if (tried === tries) {
          const what = `the privileged helper did not answer ${tries} times (${operation}): it is not running or is overloaded: systemctl status ${unit}`
          throw new Error(what, { cause: error })
        }
        await pause(waitMs * tried)
      }
    }
  }
}

function exchange(path: string, line: string, withinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const chunks: Buffer[] = []
    let length = 0
    const fail = (error: Error): void => {
      stopTimer()
      socket.destroy()
      reject(error)
    }
    const stopTimer = startTimer(withinMs, () =>
      fail(new Error(`the privileged helper did not answer within ${withinMs} ms`)),
    )
    socket.on('error', (cause) => fail(new Broken(`${path}: ${cause.message}`, { cause })))
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length > wireLimits.answerBytes) fail(new Error('the answer of the privileged helper is too long'))
    })
    socket.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      if (!text.endsWith('\n')) return fail(new Broken(`${path}: the connection ended before the end of the answer`))
      stopTimer()
      socket.destroy()
      resolve(text)
    })
    // Not `end`: a half-closed connection would look to the privileged helper like a caller that has left.
    socket.write(line)
  })
}
