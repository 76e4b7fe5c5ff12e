import { describe, expect, it } from 'vitest'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { VirtualClock } from '../../src/lib/testing/virtualClock.ts'
import { differenceOf } from '../../src/protocol/difference.ts'
import { Refused } from './api.ts'
import { Live, silenceMs, type Message, type Sharing, type TabMessage } from './live.ts'

interface Model {
  items: { id: number }[]
  numbers: Record<string, number>
}

/** A controller with a stream: whole at first, then each change; a beat every 5 s. */
class Source {
  model: Model = { items: [], numbers: {} }
  isDown = false
  isSilent = false
  refusal: Refused | null = null
  /** Number of streams that were opened. */
  opened = 0
  readonly #clock: VirtualClock
  readonly #readers = new Set<{ queue: Message<Model>[]; wake: () => void; isCut: boolean }>()

  constructor(clock: VirtualClock) {
    this.#clock = clock
    const beat = (): void => {
      if (!this.isSilent) this.#send({ kind: 'beat', at: this.#at() })
      clock.after(5_000, beat)
    }
    clock.after(5_000, beat)
  }

  get readers(): number {
    return this.#readers.size
  }

  change(now: Model): void {
    const change = JSON.parse(JSON.stringify(differenceOf({ ...this.model }, { ...now }))) as never // as the wire has it
    this.model = now
    this.#send({ kind: 'change', at: this.#at(), change })
  }

  tail(tail: string, text: string): void {
    const items = [{ kind: 'line' as const, at: '', machine: 'a', instance: 'i', stream: 'out' as const, text }]
    this.#send({ kind: 'tail', at: this.#at(), tail, items })
  }

  cut(): void {
    for (const reader of this.#readers) {
      reader.isCut = true
      reader.wake()
    }
  }

  async *read(signal: AbortSignal): AsyncIterable<Message<Model>> {
    this.opened++
    if (this.refusal) throw this.refusal
    if (this.isDown) throw new TypeError('refused')
    const reader = { queue: [] as Message<Model>[], wake: () => {}, isCut: false }
    this.#readers.add(reader)
    signal.addEventListener('abort', () => reader.wake())
    try {
      const stream = `stream-${this.opened}`
      yield { kind: 'whole', at: this.#at(), overview: structuredClone(this.model), stream }
      while (!signal.aborted) {
        if (reader.isCut) throw new TypeError('cut')
        const message = reader.queue.shift()
        if (message) yield message
        else await new Promise<void>((resolve) => (reader.wake = resolve))
      }
      throw new TypeError('aborted')
    } finally {
      this.#readers.delete(reader)
    }
  }

  #at(): string {
    return new Date(this.#clock.now()).toISOString()
  }

  #send(message: Message<Model>): void {
    for (const reader of this.#readers) {
      reader.queue.push(message)
      reader.wake()
    }
  }
}

/** The lock and the channel of one browser. */
class Browser {
  readonly #waiting: (() => void)[] = []
  #isHeld = false
  readonly #listeners = new Map<object, (message: TabMessage<Model>) => void>()

  sharing(): Sharing<Model> {
    const self = {}
    return {
      lead: async (signal, work) => {
        if (this.#isHeld) {
          const { promise, resolve } = Promise.withResolvers<void>()
          this.#waiting.push(resolve)
          signal.addEventListener('abort', () => {
            this.#waiting.splice(this.#waiting.indexOf(resolve) >>> 0, 1)
            resolve()
          })
          await promise
          if (signal.aborted) return
        }
        this.#isHeld = true
        await work().finally(() => {
          this.#isHeld = false
          this.#waiting.shift()?.()
        })
      },
      post: (message) => {
        const copy = structuredClone(message)
        for (const [owner, listener] of this.#listeners) if (owner !== self) queueMicrotask(() => listener(copy))
      },
      listen: (heard) => {
        this.#listeners.set(self, heard)
        return () => this.#listeners.delete(self)
      },
    }
  }
}

function given(): { clock: VirtualClock; source: Source; tab: () => Live<Model> } {
  const clock = new VirtualClock()
  const source = new Source(clock)
  const browser = new Browser()
  const read = (signal: AbortSignal): AsyncIterable<Message<Model>> => source.read(signal)
  const tab = (): Live<Model> => new Live({ read, sharing: browser.sharing(), timers: clock, random: () => 0.5 })
  return { clock, source, tab }
}

const model = (id: number): Model => ({ items: [{ id }], numbers: { [`n${id}`]: id } })

describe('one tab', () => {
  it('has the model, and each change of it', async () => {
    const { clock, source, tab } = given()
    const one = tab()
    expect(one.contact.value.state).toBe('connecting')
    one.show()
    await clock.advance(0)
    expect([one.model.value, one.contact.value.state]).toEqual([source.model, 'live'])
    source.change(model(1))
    await clock.advance(0)
    expect(one.model.value).toEqual(model(1))
  })

  it('says as of when it knows, and comes back by itself, later and later', async () => {
    const { clock, source, tab } = given()
    const one = tab()
    one.show()
    await clock.advance(7_000)
    const last = clock.now() - 2_000
    source.isDown = true
    source.cut()
    await clock.advance(0)
    expect(one.contact.value).toEqual({
      ...{ state: 'lost', asOf: last, reason: 'The controller does not answer.', nextTry: clock.now() + 1_000 },
    })
    const before = source.opened
    await clock.advance(60_000)
    // After 1, 2, 4, 8, 15, 15, 15 s.
    expect(source.opened - before).toBe(7)
    source.isDown = false
    source.model = model(2)
    one.tryNow()
    await clock.advance(0)
    expect([one.model.value, one.contact.value.state]).toEqual([model(2), 'live'])
  })

  it('gives up a stream that is silent', async () => {
    const { clock, source, tab } = given()
    const one = tab()
    one.show()
    await clock.advance(5_000)
    source.isSilent = true
    await clock.advance(silenceMs - 1)
    expect(one.contact.value.state).toBe('live')
    await clock.advance(1)
    expect(one.contact.value).toMatchObject({ state: 'lost', reason: 'The controller is silent.' })
  })

  it('reads nothing while nobody sees it, and has everything again at once', async () => {
    const { clock, source, tab } = given()
    const one = tab()
    one.show()
    await clock.advance(0)
    one.hide()
    await clock.advance(0)
    expect(source.readers).toBe(0)
    const { opened } = source
    source.change(model(3))
    await clock.advance(3_600_000)
    expect(source.opened).toBe(opened)
    one.show()
    await clock.advance(0)
    expect([one.model.value, one.contact.value.state]).toEqual([model(3), 'live'])
  })

  it('ends with its session, and tries no more', async () => {
    const { clock, source, tab } = given()
    const one = tab()
    const refusal = { detail: 'this session has ended', code: 'E_SESSION_ENDED', status: 401, next: null }
    source.refusal = new Refused({ ...refusal, type: '', title: '', subject: null })
    one.show()
    await clock.advance(100_000)
    expect(one.contact.value).toMatchObject({ state: 'ended', reason: 'this session has ended' })
    one.show()
    one.tryNow()
    await clock.advance(100_000)
    expect(source.opened).toBe(1)
  })

  it('tells the time of the controller, whatever its own clock says', async () => {
    const { clock, tab } = given()
    const one = tab()
    one.show()
    await clock.advance(0)
    const started = one.controllerNow()
    await clock.advance(3_000)
    expect(one.controllerNow() - started).toBe(3_000)
  })
})

describe('several tabs', () => {
  it('share one stream, and see the same', async () => {
    const { clock, source, tab } = given()
    const tabs = [tab(), tab(), tab()]
    for (const one of tabs) one.show()
    await clock.advance(10)
    source.change(model(4))
    await clock.advance(10)
    expect(source.readers).toBe(1)
    expect(tabs.map((one) => [one.model.value, one.contact.value.state])).toEqual(tabs.map(() => [model(4), 'live']))
    source.isDown = true
    source.cut()
    await clock.advance(10)
    expect(tabs.map((one) => one.contact.value.state)).toEqual(['lost', 'lost', 'lost'])
    // Any of them may ask for the next try.
    source.isDown = false
    tabs[2]?.tryNow()
    await clock.advance(10)
    expect(tabs.map((one) => one.contact.value.state)).toEqual(['live', 'live', 'live'])
  })

  it('each get the output that they follow in it', async () => {
    const { clock, source, tab } = given()
    const [one, two] = [tab(), tab()]
    one.show()
    two.show()
    await clock.advance(10)
    expect([one.stream.value, two.stream.value]).toEqual(['stream-1', 'stream-1'])
    const heard: string[] = []
    const stop = two.onTail('t2', (items) => heard.push(JSON.stringify(items)))
    one.onTail('t1', () => heard.push('another tab'))
    source.tail('t2', 'hello')
    await clock.advance(10)
    expect(heard).toEqual([expect.stringContaining('hello')])
    stop()
    source.tail('t2', 'again')
    source.cut()
    await clock.advance(10)
    expect([heard.length, one.stream.value, two.stream.value]).toEqual([1, null, null])
    await clock.advance(2_000)
    expect([one.stream.value, two.stream.value]).toEqual(['stream-2', 'stream-2'])
  })

  it('pass the stream on when its reader is hidden', async () => {
    const { clock, source, tab } = given()
    const [one, two] = [tab(), tab()]
    one.show()
    two.show()
    await clock.advance(10)
    one.hide()
    source.change(model(5))
    await clock.advance(10)
    expect([source.readers, two.model.value, two.contact.value.state]).toEqual([1, model(5), 'live'])
  })

  const { seed, count } = randomRun('pageCuts', { check: 800, soak: 20_000 })
  const random = seededRandom(seed)
  it(`have the model of the controller after ${count} random cuts, changes, hidden and shown tabs`, async () => {
    const { clock, source, tab } = given()
    const tabs = [tab(), tab(), tab()]
    for (const one of tabs) one.show()
    for (let time = 0; time < count; time++) {
      const one = tabs[Math.floor(random() * tabs.length)]
      const what = random()
      if (what < 0.4) source.cut()
      else if (what < 0.5) one?.hide()
      else if (what < 0.7) one?.show()
      for (let more = random() * 4; more > 0; more--) {
        const { items, numbers } = source.model
        const kept = items.filter(() => random() > 0.3)
        source.change({ items: [...kept, { id: time }], numbers: { ...numbers, [`n${time % 9}`]: time } })
      }
      await clock.advance(random() * 3_000)
    }
    for (const one of tabs) one.show()
    await clock.advance(30_000)
    expect(tabs.map((one) => one.model.value)).toEqual(tabs.map(() => source.model))
    expect([source.readers, ...tabs.map((one) => one.contact.value.state)]).toEqual([1, 'live', 'live', 'live'])
  })
})
