import { describe, expect, it } from 'vitest'
import type { Live } from '../../src/api/overview.ts'
import { mostTails, type TailItem } from '../../src/api/tails.ts'
import type { Tails } from '../../src/controller/tails/tails.ts'
import { Cluster } from './cluster.ts'

const wanted = { service: 'shop', machine: null, instance: null, since: null, last: null, resume: {} }

/** A reader of a stream, with what each tail told it. */
class Reader {
  readonly told: { tail: string; items: TailItem[] }[] = []
  isSlow = false
  readonly #end = new AbortController()
  readonly id: string

  constructor(tails: Tails, name: string) {
    this.id = tails.carry({ signal: this.#end.signal, pass: (message) => this.#take(message) }, name)
  }

  #take(text: string): Promise<void> {
    const message = JSON.parse(text) as Live // the controller writes them
    if (message.kind === 'tail') this.told.push(message)
    return this.isSlow ? new Promise(() => {}) : Promise.resolve()
  }

  leave(): void {
    this.#end.abort()
  }

  /** Lines of the service, and from when on a machine is cut off and is back. */
  of(tail: string): string[] {
    const items = this.told.filter((one) => one.tail === tail).flatMap((one) => one.items)
    const opened = new Set<string>()
    const shown = items.filter((item) => {
      if (item.kind !== 'open') return item.kind === 'cut' || item.stream !== 'tandem'
      const isAgain = opened.has(item.machine)
      opened.add(item.machine)
      return isAgain
    })
    return shown.map((item) => `${item.machine} ${item.kind === 'line' ? item.text : item.kind}`)
  }
}

async function given(): Promise<{ cluster: Cluster; tails: Tails; print: (machine: string, text: string) => void }> {
  const cluster = await Cluster.start()
  await cluster.push('1')
  const print = (machine: string, text: string): void => {
    const id = cluster.instances().find((one) => one.machine === machine)?.id ?? ''
    cluster.machine(machine).supervisor.print(id, 'out', text)
  }
  return { cluster, tails: cluster.tails(), print }
}

describe('a tail in a live stream', () => {
  it('has the newest lines of all machines, and each line as it comes, many in one message', async () => {
    const { cluster, tails, print } = await given()
    for (const machine of ['a', 'b']) for (let line = 0; line < 50; line++) print(machine, `before ${line}`)
    const reader = new Reader(tails, 'me')
    expect(await cluster.wait(tails.openTail(reader.id, 'me', 'tail-one', { ...wanted, last: 2 }))).toBe(null)
    await cluster.clock.advance(1_000)
    expect(reader.of('tail-one').toSorted()).toEqual(['a before 48', 'a before 49', 'b before 48', 'b before 49'])
    const before = reader.told.length
    for (let line = 0; line < 100; line++) print('a', `after ${line}`)
    await cluster.clock.advance(1_000)
    expect(reader.of('tail-one').slice(4)).toEqual(Array.from({ length: 100 }, (_, line) => `a after ${line}`))
    expect(reader.told.length - before).toBeLessThanOrEqual(3)
  })

  it('follows one instance by a prefix of its id, and refuses one that is nowhere', async () => {
    const { cluster, tails, print } = await given()
    const reader = new Reader(tails, 'me')
    const id = cluster.instances().find(({ machine }) => machine === 'b')?.id ?? ''
    const one = { ...wanted, machine: 'b', instance: id.slice(0, -1) }
    expect(await cluster.wait(tails.openTail(reader.id, 'me', 'tail-one', one))).toBe(id)
    const none = tails.openTail(reader.id, 'me', 'tail-two', { ...wanted, instance: 'shop-gone' })
    await expect(cluster.wait(none)).rejects.toMatchObject({ code: 'E_NO_SUCH_INSTANCE' })
    print('a', 'not asked for')
    print('b', 'here')
    await cluster.clock.advance(1_000)
    expect([reader.of('tail-one'), tails.size]).toEqual([['b here'], 1])
  })

  it('says once that a machine is cut off, and when it is back, and misses no line and repeats none', async () => {
    const { cluster, tails, print } = await given()
    const reader = new Reader(tails, 'me')
    await cluster.wait(tails.openTail(reader.id, 'me', 'tail-one', wanted))
    print('b', 'one')
    print('b', 'one')
    await cluster.clock.advance(1_000)
    cluster.machine('b').line.set({ state: 'cut' })
    await cluster.clock.advance(30_000)
    print('b', 'two')
    print('a', 'meanwhile')
    await cluster.clock.advance(60_000)
    expect(reader.of('tail-one')).toEqual(['b one', 'b one', 'b cut', 'a meanwhile'])
    cluster.machine('b').line.set({ state: 'up' })
    await cluster.clock.advance(60_000)
    expect(reader.of('tail-one').slice(4)).toEqual(['b open', 'b two'])
  })

  it('goes on for each machine from its newest known line', async () => {
    const { cluster, tails, print } = await given()
    const at = (): string => new Date(cluster.clock.now()).toISOString()
    print('a', 'old')
    print('b', 'old')
    await cluster.clock.advance(10)
    const early = at()
    print('b', 'missed')
    await cluster.clock.advance(10)
    const late = at()
    print('a', 'new')
    const reader = new Reader(tails, 'me')
    const resumed = { ...wanted, since: late, resume: { a: late, b: early } }
    await cluster.wait(tails.openTail(reader.id, 'me', 'tail-one', resumed))
    await cluster.clock.advance(1_000)
    expect(reader.of('tail-one').toSorted()).toEqual(['a new', 'b missed'])
  })

  it('holds the machines back for a slow reader, and ends with its stream', async () => {
    const { cluster, tails, print } = await given()
    const [slow, other] = [new Reader(tails, 'me'), new Reader(tails, 'you')]
    slow.isSlow = true
    await cluster.wait(tails.openTail(slow.id, 'me', 'tail-one', wanted))
    await cluster.wait(tails.openTail(other.id, 'you', 'tail-two', { ...wanted, machine: 'b' }))
    for (let line = 0; line < 20_000; line++) print('a', `line ${line}`.padEnd(100, '.'))
    await cluster.clock.advance(10_000)
    expect([slow.told.length, other.of('tail-two')]).toEqual([1, []])
    print('b', 'for the other')
    await cluster.clock.advance(1_000)
    expect(other.of('tail-two')).toEqual(['b for the other'])
    slow.leave()
    await cluster.clock.advance(1_000)
    expect(tails.size).toBe(1)
  })

  it('is for the reader of its stream alone, and ends when he ends it', async () => {
    const { cluster, tails, print } = await given()
    const reader = new Reader(tails, 'me')
    const refused = { code: 'E_NO_SUCH_STREAM' }
    await expect(tails.openTail(reader.id, 'you', 'tail-one', wanted)).rejects.toMatchObject(refused)
    expect(() => tails.endTail(reader.id, 'you', 'tail-one')).toThrow('belongs to another session')
    for (let count = 0; count < mostTails; count++) {
      await cluster.wait(tails.openTail(reader.id, 'me', `tail-${count}-of-many`, wanted))
    }
    const more = tails.openTail(reader.id, 'me', 'one-too-many', wanted)
    await expect(more).rejects.toMatchObject({ code: 'E_TOO_MANY_TAILS' })
    for (let count = 0; count < mostTails; count++) {
      expect(tails.endTail(reader.id, 'me', `tail-${count}-of-many`)).toBe(true)
    }
    print('a', 'nobody reads it')
    await cluster.clock.advance(1_000)
    expect([
      reader.told.flatMap(({ items }) => items).filter(({ kind }) => kind === 'line').length,
      tails.size,
    ]).toEqual([0, 0])
    reader.leave()
    await expect(tails.openTail(reader.id, 'me', 'tail-two', wanted)).rejects.toMatchObject(refused)
  })
})
