import { signal } from '@preact/signals'
import { describe, expect, it } from 'vitest'
import type { TailItem } from '../../src/api/tails.ts'
import { Refused } from './api.ts'
import { followTail } from './tail.ts'

const line = (at: number, text: string, machine = 'a'): TailItem => ({
  ...{ kind: 'line', at: `2026-01-01T00:00:0${at}.000Z`, machine, instance: 'i', stream: 'out', text },
})

function given(answer: () => Promise<unknown> = async () => ({})) {
  const stream = signal<string | null>(null)
  const calls: { name: string; given: unknown }[] = []
  const [heard, refused]: [string[], string[]] = [[], []]
  let send: (items: TailItem[]) => void = () => {}
  const stop = followTail({
    carrier: {
      stream,
      onTail: (tail, listener) => {
        expect(tail).toBe('tail-0001')
        send = listener
        return () => (send = () => {})
      },
    },
    api: {
      call: async (name, input) => {
        calls.push({ name, given: input })
        return (await answer()) as never // the tail reads no answer
      },
    },
    wanted: { service: 'shop', last: 100 },
    heard: (items) => heard.push(...items.map((item) => (item.kind === 'line' ? item.text : item.kind))),
    refused: ({ message }) => refused.push(message),
    newId: () => 'tail-0001',
  })
  return { stream, calls, heard, refused, stop, send: (...items: TailItem[]) => send(items) }
}

describe('a tail', () => {
  it('opens when there is a stream, and ends', () => {
    const { stream, calls, heard, send, stop } = given()
    expect(calls).toEqual([])
    stream.value = 's1'
    const body = { tail: 'tail-0001', service: 'shop', last: 100, resume: {} }
    expect(calls).toEqual([{ name: 'openTail', given: { params: { stream: 's1' }, body } }])
    send(line(1, 'one'), { kind: 'back', at: '', machine: 'a' })
    expect(heard).toEqual(['one', 'back'])
    stop()
    expect(calls).toHaveLength(2)
    expect(calls.at(-1)).toEqual({ name: 'endTail', given: { params: { stream: 's1', tail: 'tail-0001' } } })
  })

  it('goes on in the next stream behind the newest line of each machine, and shows each line once', () => {
    const { stream, calls, heard, send } = given()
    stream.value = 's1'
    send(line(1, 'one'), line(2, 'two'), line(2, 'two'), line(1, 'other', 'b'))
    stream.value = null
    stream.value = 's2'
    expect(calls.map(({ name }) => name)).toEqual(['openTail', 'endTail', 'openTail'])
    expect(calls.at(-1)).toMatchObject({
      given: { params: { stream: 's2' }, body: { resume: { a: line(2, '').at, b: line(1, '').at } } },
    })
    send(line(2, 'two'), line(2, 'two'), line(2, 'two'), line(1, 'other', 'b'), line(3, 'three'))
    expect(heard).toEqual(['one', 'two', 'two', 'other', 'two', 'three'])
  })

  it('says why it is refused, but not that its stream has ended meanwhile', async () => {
    const refusal = (): Refused =>
      new Refused({
        type: '',
        title: '',
        status: 404,
        detail: 'there is no service x',
        code: 'E',
        subject: null,
        next: null,
      })
    const one = given(() => Promise.reject(refusal()))
    one.stream.value = 's1'
    await expect.poll(() => one.refused).toEqual(['there is no service x'])
    const two = given(() => Promise.reject(refusal()))
    two.stream.value = 's1'
    two.stream.value = null
    await new Promise((resolve) => setImmediate(resolve))
    expect(two.refused).toEqual([])
  })
})
