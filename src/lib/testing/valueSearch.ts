import { constants, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib'

/** The form in which a value was found. */
export type Form = 'plain' | 'json' | 'base64' | 'hex' | 'percent' | 'compressed'

export interface Found {
  value: string
  form: Form
}

interface Pattern extends Found {
  bytes: Buffer
}

/** Content inside content, such as compressed JSON of base64: so deep and no deeper. */
const mostLayers = 3
const mostUnpackedBytes = 32 * 1024 * 1024
/** The longest run of base64 that is decoded. */
const mostEncodedBytes = 8 * 1024 * 1024
/** JSON in a string of JSON, as in the journal: so often and no oftener. */
const mostQuotings = 3

/** Finds any of many values in bytes, in any form in which programs write them. */
export class ValueSearch {
  /** Of the first two bytes: whether a pattern begins so. */
  readonly #begins = new Uint8Array(2 ** 16)
  /** By their first four bytes. */
  readonly #patterns = new Map<number, Pattern[]>()

  constructor(values: Iterable<string>) {
    for (const value of values) for (const pattern of patternsOf(value)) this.#add(pattern)
  }

  /** Every value and form that is there, once each. */
  in(bytes: Buffer): Found[] {
    const found = new Map<string, Found>()
    this.#look(bytes, 0, (one) => found.set(`${one.form} ${one.value}`, { value: one.value, form: one.form }))
    return [...found.values()]
  }

  #add(pattern: Pattern): void {
    const { bytes } = pattern
    if (bytes.length < 4) throw new Error(`too short to be found: ${bytes.toString()}`)
    this.#begins[bytes.readUInt16BE(0)] = 1
    const first = bytes.readUInt32BE(0)
    this.#patterns.set(first, [...(this.#patterns.get(first) ?? []), pattern])
  }

  #look(bytes: Buffer, layer: number, tell: (found: Found) => void): void {
    for (let at = 0; at + 4 <= bytes.length; at++) {
      const two = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
      if (this.#begins[two] === 1) {
        for (const one of this.#patterns.get(bytes.readUInt32BE(at)) ?? []) {
          const end = at + one.bytes.length
          if (end <= bytes.length && one.bytes.compare(bytes, at, end) === 0) tell(one)
        }
      }
      if (layer === mostLayers || !isMagic(two)) continue
      const inner = unpacked(bytes, at)
      if (inner) this.#look(inner, layer + 1, ({ value }) => tell({ value, form: 'compressed' }))
    }
  }
}

function patternsOf(value: string): Pattern[] {
  // A search by lines, or a form that is not listed, still finds the letters between other signs.
  const texts = [value, ...(value.match(/[a-z0-9]{12,}/g) ?? [])]
  return texts.flatMap((text) => {
    const bytes = Buffer.from(text)
    const written: [Form, string][] = [
      ['plain', text],
      ...quotings(text).map((quoted): [Form, string] => ['json', quoted]),
      ...base64Of(bytes).flatMap((encoded): [Form, string][] => [
        ['base64', encoded],
        ['base64', encoded.replaceAll('+', '-').replaceAll('/', '_')],
      ]),
      ['hex', bytes.toString('hex')],
      ['hex', bytes.toString('hex').toUpperCase()],
      ['percent', encodeURIComponent(text)],
    ]
    const first = new Map(written.toReversed().map(([form, one]) => [one, form]))
    return [...first].map(([one, form]) => ({ value, form, bytes: Buffer.from(one) }))
  })
}

function quotings(text: string): string[] {
  const all: string[] = []
  for (let last = text; all.length < mostQuotings; all.push(last)) last = JSON.stringify(last).slice(1, -1)
  return all
}

/** Without the letters at both ends that depend on what stands beside it: for each of the three places in a group. */
const base64Of = (bytes: Buffer): string[] =>
  [0, 1, 2].map((before) => {
    const bits = (before + bytes.length) * 8
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6))
  })

const gzip = 0x1f8b
const zstd = 0x28b5
const zlib = [0x7801, 0x785e, 0x789c, 0x78da]
/** Base64 of gzip and of zstd. */
const encodedGzip = 0x4834
const encodedZstd = 0x4b4c
const encodedMagics = ['H4sI', 'KLUv']
const magics = new Set([gzip, zstd, ...zlib, encodedGzip, encodedZstd])
const isMagic = (two: number): boolean => magics.has(two)

/** The content that was compressed, perhaps also encoded, from there on; `null`: it only looks so. */
function unpacked(bytes: Buffer, at: number): Buffer | null {
  // A stream that was cut off counts as well.
  const limit = { maxOutputLength: mostUnpackedBytes, finishFlush: constants.Z_SYNC_FLUSH }
  const rest = bytes.subarray(at)
  try {
    switch (rest.readUInt16BE(0)) {
      case gzip:
        return rest[2] === 8 ? inflateRawSync(rest.subarray(gzipHead(rest)), limit) : null
      case zstd:
        return rest.readUInt32BE(0) === 0x28b52ffd
          ? zstdDecompressSync(rest, { maxOutputLength: mostUnpackedBytes })
          : null
      case encodedGzip:
      case encodedZstd: {
        if (!encodedMagics.includes(rest.toString('latin1', 0, 4))) return null
        const [run = ''] = /^(?:H4sI|KLUv\/)[A-Za-z0-9+/]*/.exec(rest.toString('latin1', 0, mostEncodedBytes)) ?? []
        return run.length < 16 ? null : unpacked(Buffer.from(run, 'base64'), 0)
      }
      default:
        return inflateSync(rest, limit)
    }
  } catch {
    return null
  }
}

/** Length of its head (RFC 1952 section 2.3). */
function gzipHead(bytes: Buffer): number {
  const flags = bytes[3] ?? 0
  let at = 10
  if (flags & 4) at += 2 + bytes.readUInt16LE(at)
  for (const flag of [8, 16]) if (flags & flag) at = bytes.indexOf(0, at) + 1
  return flags & 2 ? at + 2 : at
}
