import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ApiClient } from '../../api/client.ts'
import type { Live } from '../../api/overview.ts'
import { basePath } from '../../api/operation.ts'
import type { Answer } from '../../protocol/ask.ts'
import { aReport, makeFolder } from '../testing/given.ts'
import { runController, tokens, type TestController } from '../testing/runningController.ts'
import { following } from '../../lib/following.ts'
import { decodeServerSentEvents } from '../../lib/serverSentEvents.ts'
import { until } from '../../lib/testing/until.ts'

let folder: ReturnType<typeof makeFolder>
let controller: TestController
let gone: AbortController
beforeEach(async () => {
  folder = makeFolder('streams')
  controller = await runController(folder.path)
  gone = new AbortController()
})
afterEach(async () => {
  gone.abort()
  await controller.close()
  folder.remove()
})
let seq = 0
/** Appends one event: a machine moves. */
async function move(machine: 'a' | 'b' = 'a'): Promise<void> {
  const agent = new ApiClient({ url: controller.url, token: tokens[machine] })
  const report = aReport({ machine, seq: ++seq })
  await agent.call('report', { body: { ...report, endpoints: { ...report.endpoints, http: 1_000 + seq } } })
}

describe('the stream of events', () => {
  it('gives all events and ends, or follows', async () => {
    for (let i = 0; i < 450; i++) await move()
    const { position } = (await controller.client.call('status', {})).controller
    const all = (await Array.fromAsync(controller.client.stream('events', {}))).map(({ data }) => data.position)
    expect(all).toEqual(Array.from({ length: position }, (_, index) => index + 1))
    const after = await Array.fromAsync(controller.client.stream('events', { query: { after: position - 1 } }))
    expect(after.map(({ id }) => id)).toEqual([String(position)])
  })

  it('resumes from Last-Event-ID without gaps or repeats, while events come', async () => {
    const enough = new AbortController()
    const moving = (async () => {
      while (!enough.signal.aborted) await move()
    })()
    const seen: number[] = []
    for (let round = 0; round < 8; round++) {
      const from = seen.at(-1)
      const options = { signal: gone.signal, ...(from ? { lastEventId: String(from) } : {}) }
      let count = 0
      for await (const { id } of controller.client.stream('events', { query: { follow: 'true' } }, options)) {
        seen.push(Number(id))
        if (++count === 20) break // the reader leaves in the middle of the events that it may have been sent
      }
    }
    enough.abort()
    await moving
    expect(seen).toEqual(Array.from({ length: 160 }, (_, index) => index + 1))
  })

  it.each(['x', '-1', '1.5', '9'.repeat(30)])('refuses Last-Event-ID %j', async (lastEventId) => {
    const events = controller.client.stream('events', {}, { lastEventId })
    await expect(Array.fromAsync(events)).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  it('does not buffer everything for a reader that stopped reading', async () => {
    for (let i = 0; i < 50; i++) await move()
    const socket = connect({ host: '127.0.0.1', port: controller.port })
    const head = `GET ${basePath}/events?follow=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens.operator}\r\n\r\n`
    socket.write(head)
    await once(socket, 'data')
    socket.pause()
    for (let i = 0; i < 200; i++) await move()
    expect((await controller.client.call('status', {})).controller.position).toBeGreaterThan(250)
    socket.destroy()
  })
})

describe("an agent's stream", () => {
  const stream = (
    machine: 'a' | 'b',
    given: (event: string, data: unknown) => void,
    signal = gone.signal,
    query = '',
  ): Promise<void> =>
    (async () => {
      const agent = new ApiClient({ url: controller.url, token: tokens[machine] })
      for await (const { event, data } of agent.rawStream(`/agent/stream${query}`, { signal }))
        given(event, JSON.parse(data))
    })()

  it('sends changes to an agent that asks for them', async () => {
    const received: string[] = []
    void stream('a', (event) => received.push(event), gone.signal, '?changes=yes')
    await until(() => expect(received).toEqual(['desired']))
    await move()
    await until(() => expect(received).toEqual(['desired', 'desired-change']))
  })

  it('sends the desired state at once and at every change; a newer connection ends the older one', async () => {
    const [first, second]: [number[], number[]] = [[], []]
    const older = stream('a', (_, data) => first.push((data as { position: number }).position))
    await until(() => expect(first).toEqual([1]))
    await move()
    await until(() => expect(first).toEqual([1, 2]))
    void stream('a', (_, data) => second.push((data as { position: number }).position))
    await older
    await until(() => expect(second).toEqual([2]))
    await move()
    await until(() => expect(second).toEqual([2, 3]))
    expect(first).toEqual([1, 2])
  })

  it('carries questions; the answers of all machines reach the caller ordered by time, and unreachable machines are named', async () => {
    await move('a')
    await move('b')
    const agent = new ApiClient({ url: controller.url, token: tokens.a })
    const line = (at: string): Answer => ({
      ...{ kind: 'line', at, service: 'shop', instance: 'x', stream: 'out', text: at },
    })
    void stream('a', (event, data) => {
      if (event !== 'ask') return
      const { id } = data as { id: string }
      const body = [line('2'), line('4'), { kind: 'end' }].map((one) => `${JSON.stringify(one)}\n`).join('\n')
      void agent.raw('POST', `/agent/answers/${id}`, { body, headers: { 'content-type': 'application/x-ndjson' } })
    })
    await until(async () => {
      const text = await (await fetch(`${controller.url}/metrics`)).text()
      expect(text).toContain('tandem_agents_connected 1')
    })
    const answers = await Array.fromAsync(controller.client.stream('logs', { query: { service: 'shop' } }))
    expect(answers.map(({ data }) => data)).toEqual([
      {
        kind: 'error',
        code: 'E_MACHINE_UNREACHABLE',
        message: expect.stringMatching(/^b: machine b is not connected/),
      },
      line('2'),
      line('4'),
    ])
  })

  it('that breaks and reconnects is asked again for the lines that a reader follows; the others continue meanwhile', async () => {
    await move('a')
    await move('b')
    const agent = new ApiClient({ url: controller.url, token: tokens.b })
    const since: unknown[] = []
    const answering = (at: string, signal: AbortSignal): Promise<void> =>
      stream(
        'b',
        (event, data) => {
          const { kind, id, since: from } = data as { kind?: string; id: string; since: string | null }
          if (event !== 'ask' || kind !== 'logs') return
          since.push(from)
          const line = { kind: 'line', at, service: 'shop', instance: 'x', stream: 'out', text: at }
          const body = `${JSON.stringify(line)}\n${JSON.stringify({ kind: 'end' })}\n`
          const headers = { 'content-type': 'application/x-ndjson' }
          void agent.raw('POST', `/agent/answers/${id}`, { body, headers }).catch(() => {}) // the reader may be gone
        },
        signal,
      )
    const first = new AbortController()
    void answering('1', first.signal)
    await until(async () => expect(await (await fetch(`${controller.url}/metrics`)).text()).toContain('connected 1'))
    const seen: string[] = []
    const query = { service: 'shop', follow: 'true' } as const
    for await (const { data } of controller.client.stream('logs', { query }, { signal: gone.signal })) {
      seen.push(data.kind === 'line' ? data.text : data.kind === 'error' ? data.message : data.kind)
      if (seen.at(-1) === '1') first.abort()
      if (seen.at(-1)?.startsWith('b:')) void answering('2', gone.signal)
      if (seen.at(-1) === '2') break
    }
    expect(seen.filter((text) => !text.startsWith('a:'))).toEqual(['1', expect.stringMatching(/^b: /), '2'])
    expect(seen.filter((text) => text.startsWith('a:'))).toHaveLength(1)
    expect(since).toEqual([null, '1'])
  })
})

describe('the live stream', () => {
  it('names itself, and carries the tails that its reader adds', async () => {
    await move('a')
    const seen: Live[] = []
    void (async () => {
      for await (const { data } of controller.client.stream('live', {}, { signal: gone.signal })) seen.push(data)
    })().catch(() => {}) // ends with the test
    await until(() => expect(seen).not.toEqual([]))
    const stream = seen[0]?.kind === 'whole' ? (seen[0].stream ?? '') : ''
    const params = { stream }
    const body = { tail: 'tail-of-a', service: 'shop', machine: 'a' }
    const other = new ApiClient({ url: controller.url, token: tokens.reader })
    await expect(other.call('openTail', { params, body })).rejects.toMatchObject({ code: 'E_NO_SUCH_STREAM' })
    const resumes: Record<string, string>[] = [{ a: 'nonsense' }, { '../a': '2026-11-21' }]
    for (const wrong of [{ since: 'nonsense' }, ...resumes.map((resume) => ({ resume }))]) {
      const asked = controller.client.call('openTail', { params, body: { ...body, ...wrong } })
      await expect(asked).rejects.toMatchObject({ code: 'E_USAGE' })
    }
    expect(await controller.client.call('openTail', { params, body })).toEqual({ tail: 'tail-of-a', instance: null })
    await until(() => {
      const tails = seen.flatMap((one) => (one.kind === 'tail' ? [one] : []))
      expect(tails.flatMap(({ tail, items }) => items.map((item) => ({ tail, ...item })))).toEqual([
        expect.objectContaining({ tail: 'tail-of-a', kind: 'cut', machine: 'a', code: 'E_MACHINE_UNREACHABLE' }),
      ])
    })
    const end = { params: { ...params, tail: 'tail-of-a' } }
    expect(await controller.client.call('endTail', end)).toEqual({ ended: true })
    expect(await controller.client.call('endTail', end)).toEqual({ ended: false })
  })

  it('comes compressed to a browser: each message can be read when it was sent, and says the same', async () => {
    await move()
    const headers = { authorization: `Bearer ${tokens.operator}`, 'accept-encoding': 'gzip, deflate' }
    const answered = await fetch(`${controller.url}${basePath}/live`, { headers, signal: gone.signal })
    expect(answered.headers.get('content-encoding')).toBe('gzip')
    let model: object = {}
    const kinds: string[] = []
    const take = (message: Live): void => {
      kinds.push(message.kind)
      if (message.kind === 'whole') model = message.overview
      if (message.kind === 'change') model = following(model, message.change)
    }
    void (async () => {
      // Node's types know the body only as a stream of anything.
      const bytes = answered.body as AsyncIterable<Uint8Array>
      for await (const { data } of decodeServerSentEvents(bytes)) take(JSON.parse(data) as Live) // by the contract
    })().catch(() => {}) // ends with the test
    await until(() => expect(kinds).toEqual(['whole']))
    await move()
    await until(async () => expect(model).toEqual(await controller.client.call('overview', {})))
    expect(kinds).toContain('change')
  })
})

describe('a token that is revoked', () => {
  const client = async (role: 'reader' | 'agent', machine: string | null): Promise<{ id: string; as: ApiClient }> => {
    const name = `revoked ${role}`
    const { token } = await controller.client.call('createToken', { body: { role, machine, name } })
    const { tokens: all } = await controller.client.call('tokens', {})
    const id = all.find((one) => one.name === name)?.id ?? ''
    return { id, as: new ApiClient({ url: controller.url, token }) }
  }
  const first = async (stream: AsyncIterable<unknown>): Promise<AsyncIterator<unknown>> => {
    const iterator = stream[Symbol.asyncIterator]()
    expect((await iterator.next()).done).toBe(false)
    return iterator
  }

  it('loses its streams at once; the streams of other tokens continue', async () => {
    await move()
    const [reader, agent] = [await client('reader', null), await client('agent', 'a')]
    const options = { signal: gone.signal }
    const query = { follow: 'true' } as const
    const events = await first(reader.as.stream('events', { query: { ...query, after: 1 } }, options))
    const desired = await first(agent.as.rawStream('/agent/stream', options))
    const others = await first(controller.client.stream('events', { query: { ...query, after: 1 } }, options))
    for (const { id } of [reader, agent]) await controller.client.call('revokeToken', { params: { id } })
    await expect(events.next()).rejects.toMatchObject({ code: 'E_CONTROLLER_UNREACHABLE' })
    await expect(desired.next()).rejects.toMatchObject({ code: 'E_CONTROLLER_UNREACHABLE' })
    await move()
    expect((await others.next()).done).toBe(false)
  })
})

describe('checkups', () => {
  it("come from the controller and all machines, with each clock's offset and the machines that cannot be asked", async () => {
    await move('a')
    await move('b')
    const agent = new ApiClient({ url: controller.url, token: tokens.a })
    const aheadMs = 60_000
    const finding = { area: 'disk', level: 'wrong', what: 'full', next: 'make room' }
    void (async () => {
      for await (const { event, data } of agent.rawStream('/agent/stream', { signal: gone.signal })) {
        if (event !== 'ask') continue
        const { id, kind } = JSON.parse(data) as { id: string; kind: string }
        const checkup = { machine: 'a', checked: ['disk', 'clock'], findings: kind === 'checkup' ? [finding] : [] }
        const answers = [{ kind: 'clock', at: Date.now() + aheadMs }, { kind: 'checkup', checkup }, { kind: 'end' }]
        const body = answers.map((one) => `${JSON.stringify(one)}\n`).join('')
        await agent.raw('POST', `/agent/answers/${id}`, { body, headers: { 'content-type': 'application/x-ndjson' } })
      }
    })().catch(() => {}) // ends with the test
    await until(async () => expect(await (await fetch(`${controller.url}/metrics`)).text()).toContain('connected 1'))
    const all = (await Array.fromAsync(controller.client.stream('checkups', {}))).map(({ data }) => data)
    const of = (name: string) => all.find(({ machine }) => machine === name)
    expect(all.map(({ machine }) => machine).toSorted()).toEqual(['(controller)', 'a', 'b'])
    expect(of('a')).toMatchObject({
      checked: ['report', 'clock', 'disk'],
      findings: [{ area: 'clock', what: expect.stringMatching(/^the clock is (?:59|60)\.\d s ahead/) }, finding],
    })
    expect(of('b')?.findings).toEqual([
      expect.objectContaining({
        level: 'unchecked',
        what: 'not checked: machine b is not connected to the controller',
      }),
    ])
    const one = await Array.fromAsync(controller.client.stream('checkups', { query: { machine: 'a' } }))
    expect(one.map(({ data }) => data.machine)).toEqual(['a'])
    const none = controller.client.stream('checkups', { query: { machine: 'none' } })
    await expect(Array.fromAsync(none)).rejects.toMatchObject({ code: 'E_NO_SUCH_MACHINE' })
  })
})

it('closes at once although streams are open', async () => {
  await move()
  const heard: string[] = []
  const events = (async () => {
    for await (const { id } of controller.client.stream('events', { query: { follow: 'true' } })) heard.push(String(id))
  })()
  const ended = events.then(() => null).catch((error: unknown) => error)
  await until(() => expect(heard.length).toBe(2))
  await controller.close()
  expect(await ended).toMatchObject({ code: 'E_CONTROLLER_UNREACHABLE' })
  controller = await runController(folder.path)
})

it('the change of a report is taken only where it fits the report before', async () => {
  const agent = new ApiClient({ url: controller.url, token: tokens.a })
  const taken = async (over: object): Promise<unknown> => {
    const change = {
      machine: 'a',
      boot: 1,
      after: 1,
      set: { seq: 2, version: 'new' },
      lists: {},
      records: {},
      gone: [],
      ...over,
    }
    const headers = { 'content-type': 'application/json' }
    const answer = await agent.raw('POST', '/agent/report-changes', { body: JSON.stringify(change), headers })
    return JSON.parse(await answer.text())
  }
  expect(await taken({})).toEqual({ taken: false })
  expect(await agent.call('report', { body: aReport({ machine: 'a' }) })).toMatchObject({ takesChanges: true })
  expect(await taken({ set: { seq: 2, version: 7 } })).toEqual({ taken: false })
  expect(await taken({ boot: 2 })).toEqual({ taken: false })
  expect(await taken({ set: { machine: 'b', boot: 1e15, seq: 1, version: 'forged' } })).toEqual({ taken: false })
  expect(await taken({})).toEqual({ taken: true })
  const { machines } = await controller.client.call('status', {})
  expect(machines.find(({ name }) => name === 'a')?.version).toBe('new')
  expect(machines.filter(({ version }) => version === 'forged')).toEqual([])
  await expect(taken({ after: 'one' })).rejects.toMatchObject({ code: 'E_USAGE' })
})
