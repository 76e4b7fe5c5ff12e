import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { keyId, newKey, opened, openValue, rewrapped, sealed, sealValue } from './sealed.ts'

const about = 'production shop/db 3'
/** By Node's `crypto`. */
const unopened = /authenticat/

it('opens what was sealed, of any length, and no two boxes are the same', () => {
  const key = newKey()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (plain) => {
      const [one, other] = [sealed(key, about, plain), sealed(key, about, plain)]
      expect(opened(key, about, one)).toEqual(Buffer.from(plain))
      expect(one).not.toEqual(other)
    }),
  )
})

it('does not open with another key, about something else, or when one bit was changed or the end is missing', () => {
  const key = newKey()
  const box = sealed(key, about, Buffer.from('hunter2'))
  expect(() => opened(newKey(), about, box)).toThrow(unopened)
  expect(() => opened(key, 'production shop/db 4', box)).toThrow(unopened)
  for (let bit = 0; bit < box.length * 8; bit++) {
    const changed = Buffer.from(box)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    expect(() => opened(key, about, changed), `bit ${bit}`).toThrow(unopened)
  }
  for (let length = 0; length < box.length; length++)
    expect(() => opened(key, about, box.subarray(0, length)), `${length} bytes`).toThrow(
      /authenticat|tag|initialization/i,
    )
})

it('wraps the key of a value again without touching its content', () => {
  const [old, fresh] = [newKey(), newKey()]
  const value = sealValue(old, about, Buffer.from('hunter2'))
  const moved = { ...value, root: keyId(fresh), wrapped: rewrapped(old, fresh, about, value.wrapped) }
  expect(openValue(fresh, about, moved).toString()).toBe('hunter2')
  expect(() => openValue(old, about, moved)).toThrow(unopened)
})

it('names a key by digits that another key does not have', () => {
  const key = newKey()
  expect(keyId(key)).toMatch(/^[0-9a-f]{16}$/)
  expect(keyId(key)).toBe(keyId(Buffer.from(key)))
  expect(keyId(key)).not.toBe(keyId(newKey()))
})
