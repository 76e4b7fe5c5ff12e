import { tmpdir } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { OperatorError } from '../lib/operatorError.ts'
import { openSmallDisk, whyNoSmallDisk, type SmallDisk } from '../lib/testing/smallDisk.ts'
import { whyUnwritable } from './whyUnwritable.ts'

const failed = (errcode: number): OperatorError =>
  new OperatorError('E_LOG_UNWRITABLE', 'it cannot be written', {
    next: 'make room',
    cause: Object.assign(new Error('a database error'), { errcode }),
  })

it('reports the last failure until the next change, unless a full disk has room again', () => {
  const [sqliteFull, sqliteReadonly] = [13, 8]
  expect(whyUnwritable(null, tmpdir())).toBeNull()
  expect(whyUnwritable(failed(sqliteReadonly), tmpdir())).toBe('it cannot be written; make room')
  expect(whyUnwritable(failed(sqliteFull), tmpdir())).toBeNull()
})

const why = whyNoSmallDisk('tmpfs')
describe.skipIf(why)(`on a full disk${why ? ` (skipped: ${why})` : ''}`, () => {
  let disk: SmallDisk | null = null
  afterEach(() => disk?.remove())

  it('reports the full disk before any change was tried, and the failure once a change was tried', () => {
    disk = openSmallDisk('tmpfs', 8 * 1_048_576)
    expect(whyUnwritable(null, disk.path)).toBeNull()
    disk.fill()
    expect(whyUnwritable(null, disk.path)).toContain(`bytes are left on the disk of ${disk.path}`)
    expect(whyUnwritable(failed(13), disk.path)).toBe('it cannot be written; make room')
  })
})
