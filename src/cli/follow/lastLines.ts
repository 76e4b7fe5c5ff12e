import { setTimeout as pause } from 'node:timers/promises'
import type { ApiClient } from '../../api/client.ts'
import type { LastWordsView } from '../../api/lastWords.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { keptWords } from '../lastWords/lastWords.ts'
import type { Answer } from '../../protocol/ask.ts'

/** Time limit: these lines only explain a result. */
const limitMs = 5_000

/** An agent sends the last words some 300 ms after a failure. */
const [lookMs, looks] = [150, 10]

/** The last lines of an instance. A read error becomes one of the lines: it must not hide the outcome. */
export async function lastLines(
  client: ApiClient,
  service: string,
  instance: string,
  last: number,
  signal: AbortSignal,
): Promise<string[]> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
  const lines: string[] = []
  try {
    for await (const { data } of client.stream('logs', { query: { service, instance, last } }, { signal: until })) {
      const text = lineOf(data)
      if (text !== null) lines.push(text)
    }
  } catch (error) {
    lines.push(whyNone(error))
  }
  return lines.slice(-last)
}

/** The same for an instance that failed: the lines that its machine sent then, if the controller has them. */
export async function lastLinesOfFailure(
  client: ApiClient,
  service: string,
  instance: string,
  last: number,
  signal: AbortSignal,
): Promise<{ lines: string[]; hints: string[] }> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
  const words = await wordsSoon(client, { service, instance }, until)
  if (words) return { lines: words.lines.map(({ text }) => text).slice(-last), hints: words.hints ?? [] }
  return { lines: await lastLines(client, service, instance, last, signal), hints: [] }
}

/** The words are on their way for a moment after the failure. `null`: the controller has none. */
async function wordsSoon(
  client: ApiClient,
  about: { service: string; instance: string },
  signal: AbortSignal,
): Promise<LastWordsView | null> {
  for (let look = 0; look < looks; look++) {
    const words = await keptWords(client, about, signal).catch(() => null)
    if (words?.instance === about.instance) return words
    await pause(lookMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) break
  }
  return null
}

function whyNone(error: unknown): string {
  if (error instanceof OperatorError && error.code === 'E_NO_SUCH_INSTANCE') return '(no machine keeps this output)'
  return `(cannot read the output of the instance: ${error instanceof Error ? error.message : String(error)})`
}

function lineOf(answer: Answer): string | null {
  if (answer.kind === 'line') return answer.text
  return answer.kind === 'error' ? `(${answer.message})` : null
}
