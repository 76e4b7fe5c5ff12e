import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { systemdPartsHost } from './partsHost.ts'

const mine = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

function lab() {
  const folder = mkdtempSync(join(tmpdir(), 'parts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return { host: systemdPartsHost(), at: (name: string) => join(folder, name) }
}

it('gives a folder its mode, special bits included, and reads it back', () => {
  const { host, at } = lab()
  mkdirSync(at('own'))
  host.putFolder(at('own'), { mode: 0o1771, ...mine })
  expect(host.readFolder(at('own'))).toEqual({ mode: 0o1771, ...mine })
})

it('follows no link that a user has put in the place of a folder', () => {
  const { host, at } = lab()
  mkdirSync(at('other'), { mode: 0o755 })
  symlinkSync(at('other'), at('own'))
  expect(() => host.putFolder(at('own'), { mode: 0o777, ...mine })).toThrow(/ELOOP|ENOTDIR/)
  expect(statSync(at('other')).mode & 0o7777).toBe(0o755)
  expect(host.readFolder(at('own'))).toBe(null)
})

it('removes a folder with content only as a whole', async () => {
  const { host, at } = lab()
  mkdirSync(at('own'))
  writeFileSync(join(at('own'), 'data'), '')
  expect(await host.removeFolder(at('own'), false)).toBe(false)
  expect(host.readFolder(at('own'))).not.toBe(null)
  expect(await host.removeFolder(at('own'), true)).toBe(true)
  expect(await host.removeFolder(at('own'), false)).toBe(true)
})
