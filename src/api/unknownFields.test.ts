import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { operations, streams } from './contract.ts'
import { unknownField } from './unknownFields.ts'

const schema = z.object({
  name: z.string().optional(),
  script: z.object({ text: z.string() }).nullable().default(null),
  list: z.array(z.object({ id: z.string() })),
  table: z.record(z.string(), z.object({ port: z.int() })),
})

describe('unknownField', () => {
  it.each([
    [{ name: 'x', script: null, list: [{ id: '1' }], table: { any: { port: 1 } } }, null],
    [{ nam: 'x' }, { path: '', name: 'nam', known: ['name', 'script', 'list', 'table'] }],
    [{ script: { text: '', txt: '' } }, { path: 'script', name: 'txt', known: ['text'] }],
    [{ list: [{ id: '1' }, { ids: '2' }] }, { path: 'list.1', name: 'ids', known: ['id'] }],
    [{ table: { a: { prt: 1 } } }, { path: 'table.a', name: 'prt', known: ['port'] }],
    [JSON.parse('{"__proto__":1}'), { path: '', name: '__proto__' }],
    ['no object', null],
    [null, null],
  ])('of %j', (value, expected) => {
    const found = unknownField(schema, value)
    if (expected === null) expect(found).toBe(null)
    else expect(found).toMatchObject(expected)
  })

  it('covers every kind of schema in the contract', () => {
    const kinds = new Set<string>()
    const walk = (one: z.ZodType): void => {
      kinds.add(one.type)
      if (one instanceof z.ZodObject) Object.values(one.shape).forEach(walk)
      else if (one instanceof z.ZodArray) walk(one.element as z.ZodType)
      else if (one instanceof z.ZodRecord) walk(one.valueType as z.ZodType)
      else if (one instanceof z.ZodNullable || one instanceof z.ZodOptional || one instanceof z.ZodDefault) {
        walk(one.unwrap() as z.ZodType)
      }
    }
    for (const one of Object.values(operations)) {
      if (one.role === 'agent' || one.role === 'joiner') continue
      if ('body' in one) walk(one.body)
      if ('query' in one) walk(one.query)
    }
    for (const one of Object.values(streams)) walk(one.query)
    const without = ['string', 'number', 'boolean', 'enum', 'literal', 'pipe', 'any']
    const looked = ['object', 'array', 'record', 'nullable', 'optional', 'default']
    expect([...kinds].filter((kind) => ![...without, ...looked].includes(kind))).toEqual([])
  })
})
