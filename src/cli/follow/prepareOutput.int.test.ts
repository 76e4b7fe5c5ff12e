import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { ApiClient } from '../../api/client.ts'
import { sendEvents } from '../testing/fakeController.ts'
import { at, rolloutView } from '../testing/views.ts'
import { PrepareOutput } from './prepareOutput.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

const line = (seconds: number, text: string) => ({
  ...{ kind: 'line', at: at(seconds), service: 'shop', instance: 'shop-r-prepare', stream: 'out', text },
})
const prepare = (finishedAt: string | null) => ({
  machine: 'a',
  instance: 'shop-r-prepare',
  startedAt: at(0),
  finishedAt,
})
const [before, running, over] = [
  rolloutView(),
  rolloutView({ prepare: prepare(null) }),
  rolloutView({ prepare: prepare(at(9)) }),
]

/** A controller that gives each of `answers` once. Records the requests and the lines shown. */
async function following(answers: ((response: ServerResponse) => void)[], first = before) {
  const [asked, shown]: [URLSearchParams[], string[]] = [[], []]
  server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x').searchParams)
    answers.shift()?.(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  const client = new ApiClient({ url: `http://127.0.0.1:${port}`, token: 'tdm_0123456789' })
  const { signal } = new AbortController()
  const output = new PrepareOutput(client, first, signal, (machine, text) => void shown.push(`${machine} ${text}`))
  return { output, asked, shown }
}

it('shows each line once: some while prepare runs, the rest when it has ended', async () => {
  const { output, asked, shown } = await following([
    (response) => sendEvents(response, line(1, 'one'), line(2, 'same'), line(2, 'same')),
    (response) => {
      sendEvents(response, line(2, 'same'), line(2, 'same'), line(2, 'same'), line(3, 'last'), { kind: 'end' })
      response.end()
    },
  ])
  await output.update(before)
  await output.update(running)
  await expect.poll(() => shown).toEqual(['a one', 'a same', 'a same'])
  await output.update(running)
  await output.update(over)
  expect(shown).toEqual(['a one', 'a same', 'a same', 'a same', 'a last'])
  await output.update(over)
  await output.end()
  expect(asked.map((query) => [query.get('machine'), query.get('follow'), query.get('since')])).toEqual([
    ['a', 'true', null],
    ['a', 'false', at(2)],
  ])
})

it('shows all lines of a prepare that ended between two updates, and the last lines of one that had ended before', async () => {
  const all = (response: ServerResponse): void => {
    sendEvents(response, line(1, 'one'), line(2, 'two'), { kind: 'end' })
    response.end()
  }
  const quick = await following([all])
  await quick.output.update(over)
  expect([quick.shown, quick.asked[0]?.get('last')]).toEqual([['a one', 'a two'], null])
  server?.close()
  const late = await following([all], over)
  await late.output.update(over)
  expect([late.shown, late.asked[0]?.get('last')]).toEqual([['a one', 'a two'], '20'])
})

it('reports that the rest cannot be read, and continues', async () => {
  const { output, shown } = await following([
    (response) => sendEvents(response, line(1, 'one')),
    (response) => response.writeHead(500).end('{}'),
  ])
  await output.update(running)
  await expect.poll(() => shown).toEqual(['a one'])
  await output.update(over)
  expect(shown).toEqual(['a one', expect.stringContaining('a (cannot read the rest of the output of prepare: ')])
})
