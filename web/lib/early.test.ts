import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { beginEarly, takeStream } from './early.ts'
import { leadNow, streamName } from './sharing.ts'

/** Requests in their order: method, path and key. */
let asked: string[]
let answers: Record<string, () => Response>
/** The signal of each request for the stream. */
let streams: AbortSignal[]
let stored: string | null
/** The address without the secret. */
let shown: unknown
/** Names of the locks that are held. */
let held: Set<string>

const locks = {
  request: async (name: string, _: object, work: (lock: object | null) => unknown): Promise<void> => {
    if (held.has(name)) return void (await work(null))
    held.add(name)
    await work({})
    held.delete(name)
  },
}

beforeEach(() => {
  asked = []
  streams = []
  stored = 'tds_stored'
  held = new Set()
  answers = {
    '/api/v1/sessions': () => Response.json({ key: 'tds_linked' }, { status: 201 }),
    '/api/v1/live': () => new Response('data: {}\n\n'),
  }
  vi.stubGlobal('localStorage', { getItem: () => stored })
  vi.stubGlobal('document', { visibilityState: 'visible' })
  vi.stubGlobal('navigator', { locks })
  vi.stubGlobal('location', { hash: '', pathname: '/services', search: '?all' })
  vi.stubGlobal('history', { replaceState: (...address: unknown[]) => (shown = address[2]) })
  vi.stubGlobal('fetch', async (path: string, { method, headers, signal }: RequestInit): Promise<Response> => {
    asked.push(`${method} ${path} ${new Headers(headers).get('authorization')}`)
    if (signal) streams.push(signal)
    return answers[path]?.() ?? Response.error()
  })
})

afterEach(() => vi.unstubAllGlobals())

it('opens the stream of the stored session, for the first who takes it', async () => {
  const early = beginEarly()
  const stream = await takeStream(early, 'tds_stored')
  expect(asked).toEqual(['GET /api/v1/live Bearer tds_stored'])
  expect(await (await stream?.response)?.text()).toBe('data: {}\n\n')
  expect(await takeStream(early, 'tds_stored')).toBeNull()
})

it('takes the secret of a link out of the address, signs in, and opens the stream of the new session', async () => {
  vi.stubGlobal('location', { hash: '#open=tdl_secret', pathname: '/services', search: '?all' })
  const early = beginEarly()
  expect(shown).toBe('/services?all')
  expect(await takeStream(early, 'tds_linked')).not.toBeNull()
  expect(asked).toEqual(['POST /api/v1/sessions Bearer tdl_secret', 'GET /api/v1/live Bearer tds_linked'])
  expect(await (await early.link?.response)?.json()).toEqual({ key: 'tds_linked' })
})

it('opens no stream when the link is refused, and leaves the reason to the page', async () => {
  vi.stubGlobal('location', { hash: '#open=tdl_used', pathname: '/', search: '' })
  answers['/api/v1/sessions'] = () => Response.json({ detail: 'this link was used already' }, { status: 403 })
  const early = beginEarly()
  expect(await early.stream).toBeNull()
  expect(asked).toEqual(['POST /api/v1/sessions Bearer tdl_used'])
  expect(await (await early.link?.response)?.json()).toEqual({ detail: 'this link was used already' })
})

it.each([
  ['nobody is signed in', () => void (stored = null)],
  ['nobody sees the page', () => void vi.stubGlobal('document', { visibilityState: 'hidden' })],
  ['another tab reads the stream', () => void held.add(streamName('tds_stored'))],
  [
    'the browser refuses locks',
    () => vi.stubGlobal('navigator', { locks: { request: () => Promise.reject(new Error()) } }),
  ],
])('opens no stream when %s', async (_, given) => {
  given()
  expect(await beginEarly().stream).toBeNull()
  expect(asked).toEqual([])
})

it('ends the stream of a session that another one has replaced, and lets other tabs lead', async () => {
  const early = beginEarly()
  expect(await takeStream(early, 'tds_other')).toBeNull()
  expect(streams.map(({ aborted }) => aborted)).toEqual([true])
  await expect.poll(() => leadNow(streamName('tds_stored'))).not.toBeNull()
})
