import type { z } from 'zod'

/** Longest line accepted, in characters. */
const maxLineChars = 1024 * 1024

/** Parses lines of JSON, each with `schema`. Throws on an invalid line. */
export async function* readNdjson<T>(bytes: AsyncIterable<Uint8Array>, schema: z.ZodType<T>): AsyncIterable<T> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxLineChars) throw new Error('a line of JSON is longer than 1 MiB')
    for (const line of lines) if (line.trim()) yield schema.parse(JSON.parse(line))
  }
  if (rest.trim()) yield schema.parse(JSON.parse(rest))
}
