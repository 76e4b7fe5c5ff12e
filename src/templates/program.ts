import { text } from 'node:stream/consumers'
import { fillFiles } from './fillFiles.ts'
import { renderRequestSchema, type RenderAnswer } from './request.ts'

/** Reads a request from standard input, and writes the answer to standard output. */
export async function runFill(stdin: NodeJS.ReadableStream, stdout: NodeJS.WritableStream): Promise<number> {
  const answer: RenderAnswer = fillFiles(renderRequestSchema.parse(JSON.parse(await text(stdin))))
  await new Promise<void>((resolve) => stdout.write(JSON.stringify(answer), () => resolve()))
  return 0
}
