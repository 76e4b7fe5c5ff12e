import { describe, expect, it } from 'vitest'
import { given, type Request } from '../decider/testing/given.ts'
import { World } from '../decider/testing/world.ts'
import { mostVersions } from './room.ts'
import { currentVersion } from './state.ts'

const path = 'shop/db'
const store =
  (over: { cas?: number; fields?: string[]; of?: number } = {}): Request =>
  () => ({ type: 'StoreSecret', path, fields: ['password'], bytes: 7, reason: null, of: null, cas: null, ...over })
const deleted: Request = () => ({ type: 'DeleteSecret', path, reason: null })
const undeleted: Request = () => ({ type: 'UndeleteSecret', path })
const destroyed =
  (...versions: number[]): Request =>
  () => ({ type: 'DestroySecret', path, versions: versions.length === 0 ? null : versions, reason: null })
const grant =
  (service: string): Request =>
  () => ({ type: 'GrantSecret', path, service })
const revoke =
  (service: string): Request =>
  () => ({ type: 'RevokeSecret', path, service })

const versionsIn = (world: World): number[] | undefined =>
  world.state.secrets[path]?.versions.map(({ version }) => version)

describe('a secret', () => {
  it('gets a number with each version, of which the newest is current', () => {
    const then = given('a')
      .when(store())
      .when(store({ fields: ['password', 'user'] }))
    expect(then.world.state.secrets[path]).toMatchObject({
      ...{ last: 2, isDeleted: false, grants: [] },
      versions: [
        { version: 1, fields: ['password'], at: then.world.now },
        { version: 2, fields: ['password', 'user'] },
      ],
    })
    expect(currentVersion(then.world.state.secrets[path])?.version).toBe(2)
  })

  it('is stored over an expected version only', () => {
    const then = given('a')
    expect(then.when(store({ cas: 1 })).decision).toMatchObject({ code: 'E_SECRET_CHANGED' })
    then.when(store({ cas: 0 }))
    expect(then.when(store({ cas: 0 })).decision).toMatchObject({ message: 'shop/db exists already, in version 1' })
    expect(then.when(store({ cas: 1 })).decision).toMatchObject({ type: 'accepted' })
    expect(then.when(store({ cas: 1 })).decision).toMatchObject({ message: 'shop/db is in version 2, not 1' })
  })

  it(`keeps its newest ${mostVersions} versions`, () => {
    const then = given('a')
    for (let many = 0; many < mostVersions + 3; many++) then.when(store())
    expect(versionsIn(then.world)).toEqual(Array.from({ length: mostVersions }, (_, index) => index + 4))
  })

  it('has no current version while it is deleted; a new version brings it back', () => {
    const then = given('a').when(store()).when(deleted)
    expect(currentVersion(then.world.state.secrets[path])).toBeNull()
    expect(then.when(deleted).decision).toEqual({ type: 'nothing' })
    expect(currentVersion(then.when(undeleted).world.state.secrets[path])?.version).toBe(1)
    expect(then.when(undeleted).decision).toEqual({ type: 'nothing' })
    expect(currentVersion(then.when(deleted).when(store()).world.state.secrets[path])?.version).toBe(2)
  })

  it('loses destroyed versions, whose numbers are not used again', () => {
    const then = given('a').when(store()).when(store()).when(store())
    expect(versionsIn(then.when(destroyed(1, 2)).world)).toEqual([3])
    expect(then.when(destroyed(1)).decision).toEqual({ type: 'nothing' })
    expect(then.when(destroyed(9)).decision).toMatchObject({ code: 'E_NO_SUCH_SECRET', next: 'versions: 3' })
    expect(versionsIn(then.when(destroyed()).world)).toEqual([])
    expect(versionsIn(then.when(store()).world)).toEqual([4])
  })

  it('may be used by its own service, and by those to which it was granted', () => {
    const then = given('a').when(store()).when(grant('mail')).when(grant('api'))
    expect(then.world.state.secrets[path]?.grants).toEqual(['api', 'mail'])
    expect(then.when(grant('api')).decision).toEqual({ type: 'nothing' })
    expect(then.when(grant('shop')).decision).toEqual({ type: 'nothing' })
    expect(then.when(revoke('mail')).world.state.secrets[path]?.grants).toEqual(['api'])
    expect(then.when(revoke('mail')).decision).toEqual({ type: 'nothing' })
    expect(then.when(revoke('shop')).decision).toMatchObject({ code: 'E_USAGE' })
  })

  it.each([deleted, undeleted, destroyed(), grant('mail'), revoke('mail')])(
    'that does not exist cannot be changed (%#)',
    (request) => {
      expect(given('a').when(request).decision).toMatchObject({ code: 'E_NO_SUCH_SECRET', subject: path })
    },
  )

  it('is refused on servers until somebody can open a backup', () => {
    const world = new World(['a'], undefined, { cluster: 'production', laptop: false })
    expect(world.send(store()(world))).toMatchObject({ code: 'E_NO_RECOVERY' })
  })
})
