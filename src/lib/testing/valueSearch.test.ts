import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { ValueSearch, type Form } from './valueSearch.ts'

const value = 'k7q2m9x4c1v8"\\\nb3n6z0p5l2w7'
const other = 'o4h8t1r6e3y9u2i7'
const search = new ValueSearch([value, other])
const noise = Buffer.from(Array.from({ length: 3_000 }, (_, at) => (at * 7919 + ((at * at) >> 3)) % 256))
const amid = (text: string | Buffer): Buffer => Buffer.concat([noise, Buffer.from(text), noise])
const formsIn = (bytes: Buffer): Form[] => [...new Set(search.in(bytes).map(({ form }) => form))]

it('finds each form amid other bytes, and nothing where nothing is', () => {
  expect(search.in(amid(''))).toEqual([])
  expect(formsIn(amid(value))).toContain('plain')
  expect(search.in(amid(other))).toEqual([{ value: other, form: 'plain' }])
  expect(formsIn(amid(JSON.stringify(value)))).toContain('json')
  expect(formsIn(amid(JSON.stringify(JSON.stringify({ a: value }))))).toContain('json')
  expect(formsIn(amid(Buffer.from(value).toString('hex')))).toContain('hex')
  expect(formsIn(amid(Buffer.from(value).toString('hex').toUpperCase()))).toContain('hex')
  expect(formsIn(amid(encodeURIComponent(value)))).toContain('percent')
  for (const before of ['', 'x', 'xy', 'xyz']) {
    expect(formsIn(amid(Buffer.from(`${before}${value}`).toString('base64'))), before).toContain('base64')
    expect(formsIn(amid(Buffer.from(`${before}${value}z`).toString('base64url'))), before).toContain('base64')
  }
})

it('finds them in compressed content, with other bytes behind it, and encoded', () => {
  const text = JSON.stringify({ text: value, more: 'x'.repeat(2_000) })
  for (const pack of [gzipSync, deflateSync, zstdCompressSync]) {
    expect(formsIn(amid(pack(text)))).toContain('compressed')
    expect(formsIn(amid(pack(gzipSync(text))))).toContain('compressed')
  }
  for (const pack of [gzipSync, zstdCompressSync])
    expect(formsIn(amid(` ${pack(text).toString('base64')} `))).toContain('compressed')
})

it('finds them at the end, and in a compressed stream that was cut off', () => {
  expect(formsIn(Buffer.concat([noise, Buffer.from(other)]))).toEqual(['plain'])
  expect(formsIn(Buffer.from(other.slice(0, -1)))).toEqual([])
  const text = `${'x'.repeat(500)}${other}${noise.toString('base64')}`
  expect(formsIn(gzipSync(text).subarray(0, 300))).toContain('compressed')
})

it('finds a part of a value between other signs', () => {
  expect(search.in(amid('line: k7q2m9x4c1v8'))).toEqual([{ value, form: 'plain' }])
})
