import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ApiClient } from '../../api/client.ts'
import { statusIn, type Overview } from '../../api/overview.ts'
import { aReport, makeFolder } from '../../controller/testing/given.ts'
import { runController, tokens, type TestController } from '../../controller/testing/runningController.ts'
import { randomRun } from '../../lib/testing/randomRun.ts'
import { seededRandom } from '../../lib/testing/seededRandom.ts'
import { until } from '../../lib/testing/until.ts'
import { followOverview } from './followOverview.ts'

let folder: ReturnType<typeof makeFolder>
let controller: TestController
let gone: AbortController
let agents: Record<'a' | 'b', ApiClient>
beforeEach(async () => {
  folder = makeFolder('overview')
  controller = await runController(folder.path)
  gone = new AbortController()
  const agent = (token: string): ApiClient => new ApiClient({ url: controller.url, token })
  agents = { a: agent(tokens.a), b: agent(tokens.b) }
})
afterEach(async () => {
  gone.abort()
  await controller.close()
  folder.remove()
})

let seq = 0
/** Changes something that the overview shows: a machine moves, has another problem, or only reports. */
async function change(random: () => number): Promise<void> {
  const machine = random() < 0.5 ? 'a' : 'b'
  const report = aReport({ machine, seq: ++seq, problems: random() < 0.5 ? [] : [`problem ${seq}`] })
  const endpoints = { ...report.endpoints, host: random() < 0.5 ? 'one.example' : 'two.example' }
  await agents[machine].call('report', { body: { ...report, endpoints } })
}

/** Follows in the background. */
function follow(url = controller.url): { newest: () => Overview | null; ended: Promise<void> } {
  let newest: Overview | null = null
  const read = async (): Promise<void> => {
    const client = new ApiClient({ url, token: tokens.reader })
    for await (const overview of followOverview(client, { signal: gone.signal })) newest = overview
  }
  return { newest: () => newest, ended: read() }
}

/**
 * A line to the controller. From `begin` on, it is cut so many times: mostly in the messages after the whole overview,
 * because the delays between tries grow as long as none arrives whole.
 */
async function cutLine(
  random: () => number,
): Promise<{ url: string; begin: (cuts: number) => void; left: () => number }> {
  let left = 0
  let cutNow = (): void => {}
  const server = createServer((socket) => {
    const onward = connect(controller.port, '127.0.0.1')
    let isWhole = random() < 0.2
    let bytes = Math.floor(random() * 1_000)
    cutNow = () => {
      socket.destroy()
      onward.destroy()
    }
    for (const one of [socket, onward]) one.on('error', cutNow).on('close', cutNow)
    socket.pipe(onward)
    onward.on('data', (chunk: Buffer) => {
      if (left === 0 || !isWhole) {
        isWhole ||= chunk.includes('}\n\n')
        socket.write(chunk)
        return
      }
      socket.write(chunk.subarray(0, bytes))
      bytes -= chunk.length
      if (bytes > 0) return
      left--
      cutNow()
    })
  }).listen(0, '127.0.0.1')
  gone.signal.addEventListener('abort', () => server.close())
  await once(server, 'listening')
  const begin = (cuts: number): void => {
    left = cuts
    cutNow()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, begin, left: () => left }
}

describe('following the overview', () => {
  it('has the same as a new reader after any cuts of the stream, in the middle of messages too', async () => {
    const { seed, count } = randomRun('overview_cuts', { check: 80, soak: 1_000 })
    const random = seededRandom(seed)
    await change(random)
    const { url, begin, left } = await cutLine(random)
    const { newest } = follow(url)
    await until(() => expect(newest()).not.toBeNull())
    begin(count)
    const enough = new AbortController()
    const changing = (async () => {
      while (!enough.signal.aborted) await change(random)
    })()
    // Each cut is followed by a pause; only one that takes long is wrong.
    for (let before = left(); before > 0; before = left()) await until(() => expect(left()).toBeLessThan(before))
    enough.abort()
    await changing
    const now = await controller.client.call('overview', {})
    await expect.poll(() => newest()).toEqual(now)
  })

  it('shows the status with its work, the problems, and what has changed', async () => {
    await change(() => 0.7)
    const { newest } = follow()
    await expect.poll(() => newest()?.wrong.map(({ text }) => text)).toEqual([`machine b: problem ${seq}`])
    const overview = newest()!
    expect(statusIn(overview)).toEqual(await controller.client.call('status', {}))
    expect(overview.changes.map(({ subject, text }) => `${subject} ${text}`)).toEqual([
      'machine b joined',
      'controller started: term 1, Tandem 0',
    ])
  })

  it('ends when the right to read ends', async () => {
    await change(Math.random)
    const token = (await controller.client.call('createToken', { body: { role: 'reader', name: 'guest' } })).token
    const messages = new ApiClient({ url: controller.url, token }).stream('live', {})[Symbol.asyncIterator]()
    await messages.next()
    const { tokens: known } = await controller.client.call('tokens', {})
    const { id } = known.find(({ name }) => name === 'guest')!
    await controller.client.call('revokeToken', { params: { id } })
    const rest = async (): Promise<void> => {
      for (let one = await messages.next(); one.done !== true;) one = await messages.next()
    }
    await expect(rest()).rejects.toThrow('does not answer')
  })
})
