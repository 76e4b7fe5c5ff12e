import { namedByConnection, without } from './requestHead.ts'

/** Longest status line or interim response. */
const headBytes = 64 * 1024

export interface AnswerStartEvents {
  /** Some bytes of an answer have arrived, if only an interim response. */
  answerBegan(): void
  interim(head: InterimHead): void
  /** A status line or an interim response is longer than the limit. */
  endless(): void
}

/** The parts of an interim response (1xx) that are passed on to the client, as latin1. */
export interface InterimHead {
  status: number
  reason: string
  /** Flat name, value; without fields that belong to one hop or are not valid. */
  fields: string[]
}

/**
 * The bytes before the head of an answer: any number of interim responses (RFC 9110, 15.2). undici ends the connection
 * at an unrequested 100 and passes on only parts of the others, so this class removes interim responses before undici
 * sees them. undici also decodes the reason phrase and loses its bytes; this class keeps them.
 */
export class AnswerStart {
  /** The bytes of the reason phrase as latin1, if any byte is not ASCII. */
  reason: string | null = null
  /** The head of the answer itself has begun: undici handles all bytes from here on. */
  over = false
  readonly #events: AnswerStartEvents
  #held: Buffer | null = null

  constructor(events: AnswerStartEvents) {
    this.#events = events
  }

  /** Returns the part of these bytes that undici should see; empty if there is nothing for it yet. */
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
/** Fields that belong to one hop or describe a body, which an interim response does not have. */
const dropped = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'],
  ...['content-length', 'transfer-encoding'],
])

function fieldsIn(text: string): string[] {
  const flat = text.split(/\r?\n/).flatMap((line) => field.exec(line)?.slice(1, 3) ?? [])
  return passedOnInterim(flat)
}

/** The fields of an interim response that are passed on to the client. */
export function passedOnInterim(flat: string[]): string[] {
  let names = dropped
  for (let i = 0; i + 1 < flat.length; i += 2) {
    if (flat[i]?.toLowerCase() === 'connection') names = namedByConnection(flat[i + 1] ?? '', new Set(names)) ?? names
  }
  return without(flat, names)
}
