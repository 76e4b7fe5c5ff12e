import { expect, it } from 'vitest'
import { linkIn, SessionKey } from './session.ts'

/** The storage that the tabs of a browser share. */
function storage(): Storage {
  const items = new Map<string, string>()
  const shared = {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  }
  return shared as Storage // the page uses no more of it
}

it('ends for all tabs, but leaves the session with which another tab has signed in meanwhile', () => {
  const shared = storage()
  const [one, two] = [new SessionKey(shared), new SessionKey(shared)]
  one.set('tds_first')
  two.set('tds_second')
  // The first tab has not heard of that yet.
  one.end('tds_first')
  expect([one.key.value, shared.getItem('tandem.session')]).toEqual(['tds_second', 'tds_second'])
  two.end('tds_second')
  expect([two.key.value, shared.getItem('tandem.session')]).toEqual([null, null])
})

it('begins with a link in the fragment, and with nothing that only looks like one', () => {
  expect(linkIn('#open=tdl_abc-1')).toBe('tdl_abc-1')
  for (const hash of ['', '#open=', '#open=tds_abc', '#open=tdl_a&x', '#Open=tdl_a']) expect(linkIn(hash)).toBeNull()
})
