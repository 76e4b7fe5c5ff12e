import { describe, expect, it } from 'vitest'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { VirtualClock } from '../../src/lib/testing/virtualClock.ts'
import { Live, silenceMs, type Message } from './live.ts'
import { Browser, refusal, Source, type Model } from './testing/liveSource.ts'

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

  it('begins again at once with the whole model when a change does not fit', async () => {
    const { clock, source, tab } = given()
    const one = tab()
    const states: string[] = []
    one.contact.subscribe(({ state }) => states.push(state))
    one.show()
    await clock.advance(0)
    const lose = (): void => {
      source.change({ ...source.model, items: [...source.model.items, { id: 1 }] }, { isLost: true })
      source.change({ ...source.model, items: [...source.model.items, { id: 2 }] })
    }
    lose()
    await clock.advance(0)
    expect([one.model.value, source.opened, new Set(states)]).toEqual([
      source.model,
      2,
      new Set(['connecting', 'live']),
    ])
    // Again and again: the controller gets time.
    lose()
    await clock.advance(0)
    expect(one.contact.value).toMatchObject({ state: 'lost', reason: 'The page missed a change.' })
    await clock.advance(1_000)
    expect([one.model.value, one.contact.value.state]).toEqual([source.model, 'live'])
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
    source.refusal = refusal('E_SESSION_ENDED', 401, 'this session has ended')
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
