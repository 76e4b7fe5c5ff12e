/** One message of a stream of server-sent events (WHATWG HTML, 9.2). */
export interface ServerSentEvent {
  id: string | null
  event: string
  data: string
}

/** Longest message accepted: a desired state of a few hundred services is far shorter. */
const maxMessageChars = 16 * 1024 * 1024

export function encodeServerSentEvent({ id, event, data }: Partial<ServerSentEvent> & { data: string }): string {
  const lines = data.split('\n').map((line) => `data: ${line}\n`)
  return `${id ? `id: ${id}\n` : ''}${event && event !== 'message' ? `event: ${event}\n` : ''}${lines.join('')}\n`
}

/** A comment line that keeps the connection alive; it is not a message. */
export const serverSentHeartbeat = ': alive\n\n'

/** Decodes messages from a stream of bytes. `onBytes` is called for every chunk, also for heartbeats. */
export async function* decodeServerSentEvents(
  bytes: AsyncIterable<Uint8Array>,
  onBytes: () => void = () => {},
): AsyncIterable<ServerSentEvent> {
  const decoder = new TextDecoder()
  // Joined only when a message ends: searching all received text at every chunk would take quadratic time.
  let parts: string[] = []
  let length = 0
  let last = ''
  for await (const chunk of bytes) {
    onBytes()
    const text = decoder.decode(chunk, { stream: true })
    parts.push(text)
    length += text.length
    if (length > maxMessageChars) throw new Error('a server-sent event is longer than 16 MiB')
    const hasEnd = `${last}${text}`.includes('\n\n')
    last = text === '' ? last : text.slice(-1)
    if (!hasEnd) continue
    const messages = parts.join('').split('\n\n')
    const rest = messages.pop() ?? ''
    parts = [rest]
    length = rest.length
    for (const message of messages.map(parseMessage)) if (message) yield message
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
