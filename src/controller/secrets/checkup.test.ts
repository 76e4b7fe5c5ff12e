import { expect, it } from 'vitest'
import type { SecretsWorld } from '../../secrets/state.ts'
import { World } from '../../decider/testing/world.ts'
import { withSecrets } from './checkup.ts'

const own = { machine: '(controller)', checked: [], findings: [] }
const hour = 3_600_000
const version = (at: number) => ({
  version: 1,
  position: 1,
  fields: ['x'],
  bytes: 1,
  at,
  by: null,
  reason: null,
  of: null,
})

const found = (over: Partial<SecretsWorld>, now: number): string[] => {
  const { state } = new World(['a'], undefined, { cluster: 'production', laptop: false })
  const secret = { path: 'shop/db', versions: [version(1_000)], last: 1, isDeleted: false, grants: [] }
  const world = { ...state, secrets: { 'shop/db': secret }, rootKey: 'r', helperKeys: { a: 'age1' }, ...over }
  return withSecrets(own, world, now).findings.map(({ what }) => what)
}

it('finds values that are in no backup after a day', () => {
  expect(found({}, 20 * hour)).toEqual([])
  expect(found({}, 25 * hour)).toEqual(['the secrets are in no backup: they are lost with the disk of the controller'])
  expect(found({ backedUpAt: 500 }, 25 * hour)).toEqual([
    'secrets changed since the last backup, of 1970-01-01T00:00:00.500Z',
  ])
  expect(found({ backedUpAt: 2_000 }, 25 * hour)).toEqual([])
})

it('finds nothing on a laptop, and where no secret was ever stored', () => {
  expect(found({ config: { cluster: 'local', laptop: true } }, 25 * hour)).toEqual([])
  expect(found({ rootKey: null }, 25 * hour)).toEqual([])
})

it('finds machines that cannot receive secrets, with the command that helps', () => {
  expect(found({ helperKeys: {} }, hour)).toEqual(['machine a has no key to which secrets can be encrypted'])
})
