import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { Form, Found } from '../../src/lib/testing/valueSearch.ts'

const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
const word = (random: () => number): string =>
  Array.from({ length: 16 }, () => letters[Math.floor(random() * letters.length)]).join('')

/** Values of secrets, every other one with signs that JSON, shells and unit files write in another way. */
export const makeValues = (random: () => number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => (at % 2 === 0 ? word(random) : oddly(random)))

const oddly = (random: () => number): string => `${word(random)}"\\ $%\n${word(random)}`

/** Values that are planted in every place beside the secrets, in each form, so that a search that is blind fails. */
export class Control {
  readonly #simple: string
  readonly #odd: string

  constructor(random: () => number) {
    this.#simple = word(random)
    this.#odd = oddly(random)
  }

  get values(): string[] {
    return [this.#simple, this.#odd]
  }

  /** One line that holds each form. */
  get line(): string {
    const simple = Buffer.from(this.#simple)
    const forms = [this.#simple, simple.toString('base64'), simple.toString('hex'), gzipSync(simple).toString('base64')]
    return [...forms, JSON.stringify(this.#odd)].join(' ')
  }

  /** Compressed, as bytes. */
  get packed(): { gz: Buffer; zst: Buffer } {
    return { gz: gzipSync(this.#simple), zst: zstdCompressSync(this.#simple) }
  }

  has({ value }: Found): boolean {
    return this.values.includes(value)
  }

  /** The forms that a search must find wherever the line was planted, and did not. */
  missed(found: readonly Found[]): Form[] {
    const forms: Form[] = ['plain', 'json', 'base64', 'hex', 'compressed']
    return forms.filter((form) => !found.some((one) => this.has(one) && one.form === form))
  }
}
