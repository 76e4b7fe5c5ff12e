import { z } from 'zod'
import { name, reason } from './basics.ts'
import type { Slice } from './slice.ts'

/** Limits of the output that is kept of one failure. */
export const lastWordsBytes = 16 * 1_024
export const lastWordsLines = 400
/** Most failures in one report. */
export const mostFailures = 16

export const lastWordsLineSchema = z.object({
  at: z.string().max(40),
  stream: z.enum(['out', 'err', 'tandem']),
  text: z.string().max(lastWordsBytes),
})
export type LastWordsLine = z.infer<typeof lastWordsLineSchema>

const failureSchema = z.object({
  instance: name,
  service: name,
  release: name,
  /** When it failed, ISO 8601 by the machine's clock: names the failure among those of the instance. */
  at: z.string().max(40),
  reason,
  lines: z.array(lastWordsLineSchema).max(lastWordsLines),
  /** There was more output before these lines. */
  cut: z.boolean(),
  /** How to open the jail for it, where the output shows that the jail refused something; in words. */
  hints: z.array(reason).max(10).default([]),
})
export type Failure = z.infer<typeof failureSchema>

/** The last output of instances that failed lately. */
export const lastWords = {
  desire: {},
  report: { lastWords: z.array(failureSchema).max(mostFailures).default([]) },
} satisfies Slice

/** The newest lines that fit into the limits; the first of them may be the end of a longer line. */
export function lastOf(all: readonly LastWordsLine[]): { lines: LastWordsLine[]; cut: boolean } {
  const lines: LastWordsLine[] = []
  let left = lastWordsBytes
  for (const line of all.toReversed()) {
    const bytes = Buffer.byteLength(line.text)
    if (lines.length === lastWordsLines || left === 0) return { lines: lines.toReversed(), cut: true }
    if (bytes > left) {
      lines.push({ ...line, text: endOf(line.text, left) })
      return { lines: lines.toReversed(), cut: true }
    }
    lines.push(line)
    // A line costs something even if it is empty.
    left = Math.max(0, left - bytes - 1)
  }
  return { lines: lines.toReversed(), cut: false }
}

/** The last bytes of a text, from a whole character on. */
function endOf(text: string, bytes: number): string {
  const end = Buffer.from(text).subarray(-bytes)
  let start = 0
  // UTF-8: 10xxxxxx continues a character.
  while (start < end.length && ((end[start] ?? 0) & 0xc0) === 0x80) start += 1
  return end.subarray(start).toString()
}
