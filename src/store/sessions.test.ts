import { describe, expect, it } from 'vitest'
import { linkMs, sessionMs, Sessions, tunnelSessionMs } from './sessions.ts'
import { MemorySessionStore } from './testing/memorySessionStore.ts'
import { MemoryTokenStore } from './testing/memoryTokenStore.ts'
import { sha256 } from '../lib/hash.ts'
import { Tokens } from './tokens.ts'

async function given(): Promise<{ sessions: Sessions; store: MemorySessionStore; tokens: Tokens; token: string }> {
  const tokens = await Tokens.open(new MemoryTokenStore())
  const token = sha256(await tokens.create({ role: 'operator', machine: null, name: 'mira' }, 0))
  const store = new MemorySessionStore()
  return { sessions: await Sessions.open(store, tokens), store, tokens, token }
}

describe('a link', () => {
  it('works until it expires, and then says so', async () => {
    const { sessions, token } = await given()
    const { link, expiresAt } = sessions.link(token, 1_000)
    expect(expiresAt).toBe(1_000 + linkMs)
    expect(sessions.whyNot(link, expiresAt)).toBeNull()
    expect(sessions.whyNot(link, expiresAt + 1)).toBe('this link has expired; it works for 60 s')
    expect(await sessions.start(link, expiresAt + 1)).toBeNull()
  })

  it('does not outlive its token', async () => {
    const { sessions, tokens, token } = await given()
    const { link } = sessions.link(token, 0)
    await tokens.revoke('')
    expect(sessions.whyNot(link, 1)).toBe('the token of this link was revoked')
    expect(await sessions.start(link, 1)).toBeNull()
  })

  it('is one of at most a hundred of its token: the oldest goes', async () => {
    const { sessions, tokens, token } = await given()
    const reader = sha256(await tokens.create({ role: 'reader', machine: null, name: 'eyes' }, 0))
    const others = sessions.link(reader, 0).link
    const first = sessions.link(token, 0).link
    const second = sessions.link(token, 0).link
    for (let index = 2; index <= 100; index++) sessions.link(token, 0)
    expect(sessions.whyNot(first, 1)).toBe('the controller does not know this link')
    expect([second, others].map((link) => sessions.whyNot(link, 1))).toEqual([null, null])
  })
})

describe('a session', () => {
  it('ends by itself, and the next start forgets it', async () => {
    const { sessions, store, token } = await given()
    const started = await sessions.start(sessions.link(token, 0).link, 0)
    const key = started?.key ?? ''
    expect(sessions.identify(key, sessionMs - 1)).toMatchObject({ name: 'mira', token, expiresAt: sessionMs })
    expect(sessions.identify(key, sessionMs)).toBeNull()
    await sessions.start(sessions.link(token, sessionMs).link, sessionMs)
    expect((await store.all()).map(({ startedAt }) => startedAt)).toEqual([sessionMs])
  })

  it('ends with the tunnel of its link, as the unused links of that tunnel do, and lives shorter', async () => {
    const { sessions, store, tokens, token } = await given()
    const start = async (tunnel: string | null): Promise<string> =>
      (await sessions.start(sessions.link(token, 0, tunnel).link, 0))?.key ?? ''
    const [carried, other, direct] = [await start('one'), await start('two'), await start(null)]
    expect(sessions.identify(carried, tunnelSessionMs - 1)).not.toBeNull()
    expect(sessions.identify(carried, tunnelSessionMs)).toBeNull()
    const unused = sessions.link(token, 0, 'one').link
    // Also after the controller has started again.
    const again = await Sessions.open(store, tokens)
    expect([await again.endTunnel('one'), await again.endTunnel('one')]).toEqual([1, 0])
    expect([carried, other, direct].map((key) => again.identify(key, 1) !== null)).toEqual([false, true, true])
    expect(await sessions.endTunnel('one')).toBe(1)
    expect(sessions.whyNot(unused, 1)).toBe('the controller does not know this link')
  })

  it('is one of at most a thousand of its token: the oldest ends', async () => {
    const { sessions, store, tokens, token } = await given()
    const reader = sha256(await tokens.create({ role: 'reader', machine: null, name: 'eyes' }, 0))
    const others = (await sessions.start(sessions.link(reader, 0).link, 0))?.key ?? ''
    const keys: string[] = []
    for (let now = 0; now <= 1_000; now++) {
      const started = await sessions.start(sessions.link(token, now).link, now)
      keys.push(started?.key ?? '')
    }
    expect(sessions.identify(keys[0] ?? '', 1_001)).toBeNull()
    expect(sessions.identify(keys[1] ?? '', 1_001)).not.toBeNull()
    expect(sessions.identify(others, 1_001)).not.toBeNull()
    expect(await store.all()).toHaveLength(1_001)
  })

  it('starts on a full disk, and lives until the controller starts again', async () => {
    const { sessions, store, tokens, token } = await given()
    store.isFull = true
    const key = (await sessions.start(sessions.link(token, 0).link, 0))?.key ?? ''
    expect(sessions.identify(key, 1)).toMatchObject({ name: 'mira' })
    expect((await Sessions.open(store, tokens)).identify(key, 1)).toBeNull()
  })

  it('that ended on a full disk does not come back once there is space', async () => {
    const { sessions, store, tokens, token } = await given()
    const start = async (): Promise<string> => (await sessions.start(sessions.link(token, 0).link, 0))?.key ?? ''
    const [ended, next] = [await start(), await start()]
    store.isFull = true
    await sessions.end(ended)
    expect(sessions.identify(ended, 1)).toBeNull()
    store.isFull = false
    await sessions.prune(1)
    const again = await Sessions.open(store, tokens)
    expect([ended, next].map((key) => again.identify(key, 1) !== null)).toEqual([false, true])
  })
})
