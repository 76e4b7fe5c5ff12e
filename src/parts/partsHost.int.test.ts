import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { systemdPartsHost } from './partsHost.ts'

const mine = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, owner: null, group: null }

function lab() {
  const folder = mkdtempSync(join(tmpdir(), 'parts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return { host: systemdPartsHost(), at: (name: string) => join(folder, name) }
}

it('gives a folder its mode, special bits included, and reads it back; makes a missing one', async () => {
  const { host, at } = lab()
  mkdirSync(at('own'))
  for (const path of [at('own'), at('missing')]) {
    await host.putFolder(path, { mode: 0o1771, ...mine })
    expect(await host.readFolder(path)).toMatchObject({ mode: 0o1771, uid: mine.uid, gid: mine.gid })
  }
})

it('gives a folder to the user and group of these names, whatever their numbers were', async ({ skip }) => {
  skip(mine.uid !== 0, 'only root can do that')
  const { host, at } = lab()
  await host.putFolder(at('own'), { mode: 0o700, uid: 54_321, gid: 54_321, owner: 'daemon', group: 'daemon' })
  expect(await host.readFolder(at('own'))).toMatchObject({ owner: 'daemon', group: 'daemon' })
  await host.putFolder(at('own'), { mode: 0o700, uid: 54_321, gid: 54_321, owner: 'not-here', group: null })
  expect(await host.readFolder(at('own'))).toMatchObject({ uid: 54_321, gid: 54_321, owner: null, group: null })
})

it('waits until changes are on disk; a folder that is gone is no error', async () => {
  const { host, at } = lab()
  await expect(host.sync([at('own')])).resolves.toBeUndefined()
})

it('follows no link that a user has put in the place of a folder', async () => {
  const { host, at } = lab()
  mkdirSync(at('other'), { mode: 0o755 })
  symlinkSync(at('other'), at('own'))
  await host.putFolder(at('own'), { mode: 0o777, ...mine })
  expect(statSync(at('other')).mode & 0o7777).toBe(0o755)
  expect(await host.readFolder(at('own'))).toBe(null)
})

it('removes a folder with content only as a whole', async () => {
  const { host, at } = lab()
  mkdirSync(at('own'))
  writeFileSync(join(at('own'), 'data'), '')
  expect(await host.removeFolder(at('own'), false)).toBe(false)
  expect(await host.readFolder(at('own'))).not.toBe(null)
  expect(await host.removeFolder(at('own'), true)).toBe(true)
  expect(await host.removeFolder(at('own'), false)).toBe(true)
})
