/**
 * Messages of D-Bus (specification, "Marshaling" and "Message Format"): calls whose arguments are texts, and all
 * replies and signals. The D-Bus libraries are no longer maintained, and following systemd needs only a small, fixed
 * part of the protocol.
 */

export type BusValue = string | number | bigint | boolean | BusValue[]

export interface BusCall {
  destination: string
  path: string
  interface: string
  member: string
  args: string[]
}

export interface BusMessage {
  kind: 'call' | 'return' | 'error' | 'signal' | 'other'
  path: string
  interface: string
  member: string
  errorName: string
  sender: string
  /** Serial number of the call that this message answers; 0 for none. */
  replyTo: number
  body: BusValue[]
}

export const fixedHeaderBytes = 16
const kinds = ['other', 'call', 'return', 'error', 'signal'] as const
const fields = { path: 1, interface: 2, member: 3, errorName: 4, replyTo: 5, destination: 6, sender: 7, signature: 8 }

export function encodeCall(call: BusCall, serial: number): Buffer {
  const body: number[] = []
  for (const arg of call.args) putText(body, arg)
  const listed: number[] = []
  putField(listed, fields.path, 'o', call.path)
  putField(listed, fields.interface, 's', call.interface)
  putField(listed, fields.member, 's', call.member)
  putField(listed, fields.destination, 's', call.destination)
  if (call.args.length > 0) putField(listed, fields.signature, 'g', 's'.repeat(call.args.length))
  const header = [...Buffer.from('l'), 1, 0, 1]
  for (const number of [body.length, serial, listed.length]) putNumber(header, number)
  header.push(...listed)
  pad(header, 8)
  return Buffer.from([...header, ...body])
}

function putField(bytes: number[], code: number, type: 'o' | 's' | 'g', text: string): void {
  pad(bytes, 8)
  bytes.push(code, 1, ...Buffer.from(type), 0)
  if (type === 'g') bytes.push(text.length, ...Buffer.from(text), 0)
  else putText(bytes, text)
}

function putText(bytes: number[], text: string): void {
  const written = Buffer.from(text)
  putNumber(bytes, written.length)
  bytes.push(...written, 0)
}

function putNumber(bytes: number[], number: number): void {
  pad(bytes, 4)
  const four = Buffer.alloc(4)
  four.writeUInt32LE(number)
  bytes.push(...four)
}

function pad(bytes: number[], to: number): void {
  while (bytes.length % to !== 0) bytes.push(0)
}

/** Length of a message from its first `fixedHeaderBytes` bytes. */
export function messageBytes(head: Buffer): number {
  const number = (at: number): number => (isLittle(head) ? head.readUInt32LE(at) : head.readUInt32BE(at))
  return fixedHeaderBytes + Math.ceil(number(12) / 8) * 8 + number(4)
}

/** Decodes a whole message. Throws for bytes that no bus sends. */
export function decodeMessage(bytes: Buffer): BusMessage {
  const reader = new Reader(bytes, isLittle(bytes))
  reader.at = 12
  const said = new Map<number, BusValue>()
  for (const field of reader.listOf('(yv)')) if (Array.isArray(field)) said.set(Number(field[0]), field[1] ?? '')
  reader.align(8)
  const text = (code: number): string => String(said.get(code) ?? '')
  return {
    kind: kinds[bytes[1] ?? 0] ?? 'other',
    ...{ path: text(fields.path), interface: text(fields.interface), member: text(fields.member) },
    ...{
      errorName: text(fields.errorName),
      sender: text(fields.sender),
      replyTo: Number(said.get(fields.replyTo) ?? 0),
    },
    body: reader.all(text(fields.signature)),
  }
}

/** The dictionary `a{sv}` from a list of pairs. */
export function dictionary(value: BusValue | undefined): Map<string, BusValue> {
  const pairs = Array.isArray(value) ? value : []
  return new Map(pairs.flatMap((pair) => (Array.isArray(pair) ? [[String(pair[0]), pair[1] ?? '']] : [])))
}

const isLittle = (bytes: Buffer): boolean => bytes[0] === 0x6c // l

/** Alignment by type code. A struct and an entry of a dictionary begin at multiples of eight. */
const alignments: Record<string, number> = { n: 2, q: 2, b: 4, i: 4, u: 4, h: 4, s: 4, o: 4, a: 4, x: 8, t: 8, d: 8 }

class Reader {
  at = 0
  #bytes: Buffer
  #little: boolean

  constructor(bytes: Buffer, little: boolean) {
    this.#bytes = bytes
    this.#little = little
  }

  align(to: number): void {
    this.at = Math.ceil(this.at / to) * to
  }

  all(signature: string): BusValue[] {
    const values: BusValue[] = []
    for (let rest = signature; rest !== '';) {
      const type = firstType(rest)
      values.push(this.#value(type))
      rest = rest.slice(type.length)
    }
    return values
  }

  /** An array: its length in bytes, then its elements. */
  listOf(type: string): BusValue[] {
    const length = this.#number(4)
    this.align('({'.includes(type[0] ?? '') ? 8 : (alignments[type[0] ?? ''] ?? 1))
    const end = this.at + length
    const values: BusValue[] = []
    while (this.at < end) values.push(this.#value(type))
    return values
  }

  #value(type: string): BusValue {
    const code = type[0] ?? ''
    switch (code) {
      case '(':
      case '{':
        this.align(8)
        return this.all(type.slice(1, -1))
      case 'a':
        return this.listOf(type.slice(1))
      case 'v':
        return this.all(this.#text(this.#number(1)))[0] ?? ''
      case 'g':
        return this.#text(this.#number(1))
      case 's':
      case 'o':
        return this.#text(this.#number(4))
      case 'y':
        return this.#number(1)
      case 'b':
        return this.#number(4) === 1
      case 'n':
        return (this.#number(2) << 16) >> 16
      case 'q':
        return this.#number(2)
      case 'i':
        return this.#number(4) | 0
      case 'u':
      case 'h':
        return this.#number(4)
      case 'x':
      case 't':
      case 'd':
        return this.#eight(code)
      default:
        throw new Error(`D-Bus knows no type ${code}`)
    }
  }

  #number(size: 1 | 2 | 4): number {
    this.align(size)
    const value = this.#little ? this.#bytes.readUIntLE(this.at, size) : this.#bytes.readUIntBE(this.at, size)
    this.at += size
    return value
  }

  #eight(code: 'x' | 't' | 'd'): bigint | number {
    this.align(8)
    const [bytes, at] = [this.#bytes, this.at]
    this.at += 8
    if (code === 'd') return this.#little ? bytes.readDoubleLE(at) : bytes.readDoubleBE(at)
    if (code === 'x') return this.#little ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at)
    return this.#little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)
  }

  /** A zero byte ends the text. */
  #text(length: number): string {
    const text = this.#bytes.toString('utf8', this.at, this.at + length)
    this.at += length + 1
    return text
  }
}

/** The first complete type of a signature. */
function firstType(signature: string): string {
  const code = signature[0] ?? ''
  if (code === 'a') return code + firstType(signature.slice(1))
  if (code !== '(' && code !== '{') return code
  let depth = 0
  for (const { 0: bracket, index } of signature.matchAll(/[(){}]/g)) {
    depth += '({'.includes(bracket) ? 1 : -1
    if (depth === 0) return signature.slice(0, index + 1)
  }
  throw new Error(`the D-Bus signature ${signature} does not end`)
}
