/** Longest message that is taken, in characters. */
const mostChars = 16 * 1024 * 1024

/** The data of each server-sent event in a stream of bytes (WHATWG HTML, 9.2). */
export async function* eventsIn(bytes: ReadableStream<Uint8Array>): AsyncIterable<string> {
  const reader = bytes.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      rest += decoder.decode(value, { stream: true })
      if (rest.length > mostChars) throw new RangeError('an event is longer than 16 MiB')
      const messages = rest.split('\n\n')
      rest = messages.pop() ?? ''
      for (const message of messages) {
        const data = dataOf(message)
        if (data !== null) yield data
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function dataOf(message: string): string | null {
  const lines = message.split('\n').filter((line) => line.startsWith('data:'))
  return lines.length === 0 ? null : lines.map((line) => line.slice(line.startsWith('data: ') ? 6 : 5)).join('\n')
}
