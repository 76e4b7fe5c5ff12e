import { expect, it } from 'vitest'
import { numberFor, refuseOther, withUsers } from './serviceUsers.ts'
import { userName } from './unitName.ts'

const nobody = (): string[] => []

it.each([
  ['the number with which instances run now', [61_000, 62_000], nobody, 61_000],
  ['that of the owner of the data, where none runs', [null, 62_000], nobody, 62_000],
  ['a number that the name itself holds', [61_000], () => ['tandem-shop'], 61_000],
  ['any free one, where another user has the number', [null, 1_000], () => ['media'], null],
  ['any free one, where root owns the data', [0], () => ['root'], null],
  ['any free one, where there is no data', [null, null], nobody, null],
])('a user of a service gets %s', (_, candidates, holders, expected) => {
  expect(numberFor('tandem-shop', candidates, holders)).toBe(expected)
})

it('is removed after the data that it owns', async () => {
  const told: string[] = []
  const tell = (what: string) => async (service: string) => void told.push(`${what} ${service}`)
  const folders = withUsers({ remove: tell('data'), sweep: async () => {} }, { remove: tell('user') })
  await folders.remove('shop')
  expect(told).toEqual(['data shop', 'user shop'])
})

it('is not shared by two services whose names lead to the same user', () => {
  const long = 'a-service-with-a-very-long-name'
  const user = userName(long)
  const short = user.replace('tandem-', '')
  expect(userName(short)).toBe(user)
  const entry = (about: string): string[] => [user, 'x', '990', '990', about, '/nonexistent', '/usr/sbin/nologin']
  expect(() => refuseOther(short, entry(`Tandem service ${long}`))).toThrow(`belongs to the service ${long}`)
  expect(() => refuseOther(long, entry(`Tandem service ${long}`))).not.toThrow()
  // A user that the administrator made.
  expect(() => refuseOther(short, entry(''))).not.toThrow()
})
