import { namedByConnection, without } from './requestHead.ts'

/** A status line, or an interim response, may be this long. */
const headBytes = 64 * 1024

export interface AnswerStartEvents {
  /** Some of an answer has come, were it only an interim response. */
  answerBegan(): void
  interim(head: InterimHead): void
  /** Neither a status line nor an interim response comes to its end. */
  endless(): void
}

/** An interim response (1xx): what goes on to the client of it, as latin1. */
export interface InterimHead {
  status: number
  reason: string
  /** Flat name, value; less what is of one hop or cannot be a field. */
  fields: string[]
}

/**
 * What comes before the head of an answer: any number of interim responses (RFC 9110, 15.2). undici ends the connection at a
 * 100 that nobody asked for and hands the others over in part, so they are taken out before it sees them. It also hands over
 * the reason phrase decoded, so that its bytes are lost; they are kept here.
 */
export class AnswerStart {
  /** The bytes of the reason phrase as latin1, where it has any beyond ASCII. */
  reason: string | null = null
  /** The head of the answer itself has begun: what comes from here on is undici's. */
  over = false
  readonly #events: AnswerStartEvents
  #held: Buffer | null = null

  constructor(events: AnswerStartEvents) {
    this.#events = events
  }

  /** What undici is to see of these bytes; empty: nothing yet. */
  take(chunk: Buffer): Buffer {
    this.#events.answerBegan()
    let bytes = this.#held ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = null
    for (;;) {
      const lineEnd = bytes.indexOf(0x0a)
      if (lineEnd < 0) return this.#wait(bytes)
      if (bytes[9] !== 0x31) return this.#final(bytes, lineEnd) // HTTP/1.1 1xx
      const line = interimLine.exec(bytes.toString('latin1', 0, lineEnd))
      if (!line) return this.#final(bytes, lineEnd)
      const [, status, reason = ''] = line
      const text = bytes.toString('latin1', 0, headBytes)
      const end = headEnd.exec(text)
      if (!end) return this.#wait(bytes)
      bytes = bytes.subarray(end.index + end[0].length)
      this.#events.interim({ status: Number(status), reason, fields: fieldsIn(text.slice(lineEnd + 1, end.index)) })
      if (bytes.length === 0) return bytes
      this.#events.answerBegan()
    }
  }

  #final(bytes: Buffer, lineEnd: number): Buffer {
    this.over = true
    for (let at = 0; at < lineEnd; at += 1) {
      if ((bytes[at] ?? 0) < 0x80) continue
      this.reason = phrase.exec(bytes.toString('latin1', 0, lineEnd))?.[1] ?? null
      break
    }
    return bytes
  }

  #wait(bytes: Buffer): Buffer {
    if (bytes.length < headBytes) this.#held = bytes
    else this.#events.endless()
    return nothing
  }
}

const nothing = Buffer.alloc(0)
const interimLine = /^HTTP\/1\.[01] (1\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r?$/
const phrase = /^HTTP\/1\.[01] \d\d\d (.*?)\r?$/
const headEnd = /\r?\n\r?\n/
/** RFC 9110, 5.1 and 5.5: a name is a token; a value has no control characters but tabs. */
const field = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/
/** Of one hop, or about a body, which an interim response has not. */
const dropped = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'],
  ...['content-length', 'transfer-encoding'],
])

function fieldsIn(text: string): string[] {
  const flat = text.split(/\r?\n/).flatMap((line) => field.exec(line)?.slice(1, 3) ?? [])
  return passedOnInterim(flat)
}

/** The fields of an interim response that go on to the client. */
export function passedOnInterim(flat: string[]): string[] {
  let names = dropped
  for (let i = 0; i + 1 < flat.length; i += 2) {
    if (flat[i]?.toLowerCase() === 'connection') names = namedByConnection(flat[i + 1] ?? '', new Set(names)) ?? names
  }
  return without(flat, names)
}
