import type { Socket } from 'node:net'
import { PassThrough, type Readable } from 'node:stream'
import { createLineSplitter } from '../logs/lineSplitter.ts'
import type { SupervisorLimits } from '../limits.ts'
import { firstErrorLines, type InstanceOutput } from './instanceOutput.ts'

/** Output beyond this size is not an error message of a gate. */
const complaintBytes = 64 * 1024

/** The output of an attached program, passed on unchanged. Only the last lines of a gate are examined. */
export function attachedOutput(
  out: Socket,
  err: Socket,
  limits: SupervisorLimits,
): { output: InstanceOutput; stdout: Readable; stderr: Readable } {
  const stderr = new PassThrough()
  let isHandedOn = false
  const handOn = (): void => {
    if (isHandedOn) return
    isHandedOn = true
    err.on('error', () => stderr.end()) // output before the error has been passed on
    err.pipe(stderr)
  }
  const lastWords = async (): Promise<string[]> => {
    const splitter = createLineSplitter(limits.lineBytes)
    const lines: string[] = []
    let bytes = 0
    // The iterator must not destroy the stream at the end of the loop: a program that had begun may have written more
    // than was read.
    for await (const chunk of err.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      stderr.write(chunk)
      lines.push(...splitter.push(chunk))
      bytes += chunk.length
      if (bytes > complaintBytes) break
    }
    if (err.readableEnded) stderr.end()
    else handOn()
    return [...lines, ...splitter.end()].slice(0, firstErrorLines)
  }
  return { output: { lastWords, begun: handOn, drained: async () => {} }, stdout: out, stderr }
}
