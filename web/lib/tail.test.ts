import { describe, expect, it } from 'vitest'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { VirtualClock } from '../../src/lib/testing/virtualClock.ts'
import type { Refused } from './api.ts'
import { Live, type Message } from './live.ts'
import { Tail } from './tail.ts'
import { Browser, refusal, Source, type Model } from './testing/liveSource.ts'

interface Tab {
  live: Live<Model>
  tail: Tail
  /** The lines that it has shown. */
  lines: string[]
}

interface Given {
  clock: VirtualClock
  source: Source
  tab: () => Tab
  /** The controller refuses tails. */
  refuse: (error: Refused | null) => void
}

function given(): Given {
  const clock = new VirtualClock()
  const source = new Source(clock)
  const browser = new Browser()
  let [ids, refused] = [0, null as Refused | null]
  const read = (signal: AbortSignal): AsyncIterable<Message<Model>> => source.read(signal)
  const tab = (): Tab => {
    const live = new Live<Model>({ read, sharing: browser.sharing(), timers: clock, random: () => 0.5 })
    const lines: string[] = []
    const tail = new Tail(
      { service: 'shop' },
      (items) => lines.push(...items.flatMap((item) => (item.kind === 'line' ? [item.text] : [item.kind]))),
      {
        ...{ stream: live.stream, timers: clock, newId: () => `tail-${++ids}` },
        onTail: (id, heard) => live.onTail(id, heard),
        begin: async (stream, { tail: id, resume }) => {
          if (refused !== null) throw refused
          source.openTail(stream, id, resume)
        },
        end: (stream, id) => source.endTail(stream, id),
      },
    )
    live.show()
    return { live, tail, lines }
  }
  return { clock, source, tab, refuse: (error) => (refused = error) }
}

describe('a tail of output', () => {
  it('has the lines so far and each new one, and ends when it is closed', async () => {
    const { clock, source, tab } = given()
    source.print('a', 'before')
    const one = tab()
    await clock.advance(10)
    source.print('a', 'after')
    await clock.advance(10)
    expect([one.lines, one.tail.state.value.state, source.tails]).toEqual([['before', 'after'], 'open', 1])
    one.tail.close()
    source.print('a', 'late')
    await clock.advance(10)
    expect([one.lines, source.tails]).toEqual([['before', 'after'], 0])
  })

  it('goes on after an outage without a gap or a repeat, though lines of one moment are the same', async () => {
    const { clock, source, tab } = given()
    const one = tab()
    await clock.advance(10)
    source.print('a', 'same')
    source.print('a', 'same')
    await clock.advance(0)
    source.cut()
    source.print('a', 'same')
    source.print('b', 'other')
    await clock.advance(5_000)
    expect(one.lines).toEqual(['same', 'same', 'same', 'other'])
  })

  it('takes nothing while it is paused, and then everything that it missed', async () => {
    const { clock, source, tab } = given()
    const one = tab()
    await clock.advance(10)
    one.tail.pause()
    await clock.advance(10)
    source.print('a', 'meanwhile')
    await clock.advance(1_000)
    expect([one.lines, source.tails]).toEqual([[], 0])
    one.tail.goOn()
    await clock.advance(10)
    expect(one.lines).toEqual(['meanwhile'])
  })

  it('says why the controller refuses it, and asks again later, as after an answer that did not come', async () => {
    const { clock, source, tab, refuse } = given()
    refuse(refusal('E_TOO_MANY_TAILS', 409, 'this browser follows 16 logs already'))
    const one = tab()
    await clock.advance(10_000)
    expect(one.tail.state.value).toEqual({
      ...{ state: 'refused', code: 'E_TOO_MANY_TAILS', reason: 'this browser follows 16 logs already' },
    })
    refuse(refusal('E_BUG', 500))
    const two = tab()
    await clock.advance(1_000)
    expect(two.tail.state.value.state).toBe('opening')
    refuse(null)
    source.print('a', 'there')
    await clock.advance(5_000)
    expect([two.tail.state.value.state, two.lines]).toEqual(['open', ['there']])
    await clock.advance(5_000)
    expect([one.tail.state.value.state, one.lines]).toEqual(['open', ['there']])
  })

  const { seed, count } = randomRun('tailCuts', { check: 300, soak: 10_000 })
  const random = seededRandom(seed)
  it(`has every line once in each of three tabs after ${count} random cuts, hidden and shown tabs`, async () => {
    const { clock, source, tab } = given()
    const tabs = [tab(), tab(), tab()]
    const printed: string[] = []
    for (let time = 0; time < count; time++) {
      const one = tabs[Math.floor(random() * tabs.length)]
      const chance = random()
      if (chance < 0.3) source.cut()
      else if (chance < 0.4) one?.live.hide()
      else if (chance < 0.6) one?.live.show()
      for (let more = random() * 5; more > 0; more--) {
        const machine = random() < 0.5 ? 'a' : 'b'
        printed.push(`${machine} ${random() < 0.5 ? 'same' : time}`)
        source.print(machine, printed.at(-1) ?? '')
        if (random() < 0.5) await clock.advance(random() * 20)
      }
      await clock.advance(random() * 1_500)
    }
    for (const { live } of tabs) live.show()
    await clock.advance(30_000)
    const of = (lines: string[], machine: string): string[] => lines.filter((line) => line.startsWith(machine))
    for (const { lines } of tabs) {
      expect([of(lines, 'a'), of(lines, 'b')]).toEqual([of(printed, 'a'), of(printed, 'b')])
    }
    expect(source.tails).toBe(3)
  })
})
