import { unprocessedHeader } from './forwarding.ts'
import { namedByConnection, without } from './requestHead.ts'

export interface ResponseHead {
  /** Flat name, value: what goes on to the client. */
  passed: string[]
  /** A peer has refused the work without processing it. */
  unprocessed: boolean
  eventStream: boolean
}

const oneHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'upgrade'])

/** Reads undici's raw response headers. Only a peer's word that nothing was processed counts. */
export function readResponseHead(raw: readonly (Buffer | string)[], fromPeer: boolean): ResponseHead {
  const head: ResponseHead = { passed: [], unprocessed: false, eventStream: false }
  let named: Set<string> | null = null
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name, value] = [latin1(raw[i]), latin1(raw[i + 1])]
    const key = name.toLowerCase()
    if (key === 'connection') named = namedByConnection(value, named)
    else if (key === unprocessedHeader) head.unprocessed = fromPeer
    else if (!oneHop.has(key)) head.passed.push(name, value)
    if (key === 'content-type') head.eventStream = value.startsWith('text/event-stream')
  }
  if (named) head.passed = without(head.passed, named)
  return head
}

export function latin1(text: Buffer | string | undefined): string {
  return typeof text === 'string' ? text : (text?.toString('latin1') ?? '')
}
