import type { Answer } from '../../src/api/tails.ts'
import { fillPath, type Api } from '../lib/api.ts'
import { streams } from '../lib/calls.ts'
import { visible } from '../lib/visible.ts'
import type { LogQuery } from './logQuery.ts'

/** A browser holds the file in memory until it is written. */
const mostChars = 256 * 1024 * 1024

export interface Download {
  lines: number
  /** Machines that did not answer, in words; lines may be missing for another reason too. */
  missing: string[]
}

/** Reads all lines that the machines keep, and saves them as a file. `progress` hears the number of lines so far. */
export async function downloadLog(
  api: Api,
  { service, machine, instance, since }: LogQuery,
  progress: (lines: number) => void,
  signal: AbortSignal,
): Promise<Download> {
  const query = {
    ...{ service, machine: machine ?? undefined, instance: instance ?? undefined, since: since ?? undefined },
    follow: false,
  }
  const parts: string[] = []
  const missing: string[] = []
  let [lines, chars] = [0, 0]
  for await (const answer of api.stream<Answer>(fillPath(streams.logs, { query }), signal)) {
    if (answer.kind === 'error') missing.push(answer.message)
    if (answer.kind !== 'line') continue
    const line = `${answer.at} ${answer.instance} ${answer.stream.padEnd(6)} ${visible(answer.text, Number.POSITIVE_INFINITY)}\n`
    parts.push(line)
    lines += 1
    chars += line.length
    if (lines % 1_000 === 0) progress(lines)
    if (chars > mostChars) {
      missing.push('the file ends at 256 MiB; choose a later time for the rest')
      break
    }
  }
  save(new Blob(parts, { type: 'text/plain' }), `${instance ?? service}.log`)
  return { lines, missing }
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
