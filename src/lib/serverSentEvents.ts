/** One message of a stream of server-sent events (WHATWG HTML, 9.2). */
export interface ServerSentEvent {
  id: string | null
  event: string
  data: string
}

/** Longest message accepted: a desired state of a few hundred services is far below it. */
const maxMessageChars = 16 * 1024 * 1024

export function encodeServerSentEvent({ id, event, data }: Partial<ServerSentEvent> & { data: string }): string {
  const lines = data.split('\n').map((line) => `data: ${line}\n`)
  return `${id ? `id: ${id}\n` : ''}${event && event !== 'message' ? `event: ${event}\n` : ''}${lines.join('')}\n`
}

/** A comment line: keeps the connection known to be alive, and is no message. */
export const serverSentHeartbeat = ': alive\n\n'

/** Messages from a stream of bytes. `onBytes` is called for every chunk, heartbeats too. */
export async function* decodeServerSentEvents(
  bytes: AsyncIterable<Uint8Array>,
  onBytes: () => void = () => {},
): AsyncIterable<ServerSentEvent> {
  const decoder = new TextDecoder()
  let buffer = ''
  for await (const chunk of bytes) {
    onBytes()
    buffer += decoder.decode(chunk, { stream: true })
    if (buffer.length > maxMessageChars) throw new Error('a server-sent event is longer than 16 MiB')
    for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
      const message = parseMessage(buffer.slice(0, end))
      buffer = buffer.slice(end + 2)
      if (message) yield message
    }
  }
}

function parseMessage(text: string): ServerSentEvent | null {
  const message: ServerSentEvent = { id: null, event: 'message', data: '' }
  const data: string[] = []
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'id') message.id = value
    else if (field === 'event') message.event = value
    else if (field === 'data') data.push(value)
  }
  return data.length === 0 ? null : { ...message, data: data.join('\n') }
}
