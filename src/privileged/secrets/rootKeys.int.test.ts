import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { performer } from '../performer.ts'
import { rootKeyOperations } from './rootKeys.ts'

const why =
  process.getuid?.() === 0 && existsSync('/usr/bin/systemd-creds') ? '' : ' (skipped: needs root and systemd-creds)'
const key = `${'0123456789abcdef'.repeat(4)}\n`

function helper() {
  const data = mkdtempSync(join(tmpdir(), 'tandem-root-key-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  mkdirSync(join(data, 'privileged'))
  const perform = performer(rootKeyOperations(data), () => {})
  return { perform, file: join(data, 'privileged/root-key.cred') }
}

it.skipIf(why)(`the root key is sealed with the key of the machine, and read again${why}`, async () => {
  const { perform, file } = helper()
  expect(await perform('rootKey.read', {})).toBe('')
  await perform('rootKey.keep', { keys: key })
  expect(await perform('rootKey.read', {})).toBe(key)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(Buffer.from(readFileSync(file, 'utf8'), 'base64').includes(Buffer.from(key.trim()))).toBe(false)
  await perform('rootKey.keep', { keys: key + key })
  expect(await perform('rootKey.read', {})).toBe(key + key)
  await perform('rootKey.keep', { keys: '' })
  expect([await perform('rootKey.read', {}), existsSync(file)]).toEqual(['', false])
})

it.skipIf(why)(`a damaged root key is refused with the reason of systemd${why}`, async () => {
  const { perform, file } = helper()
  await perform('rootKey.keep', { keys: key })
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.slice(0, 120) + (text[120] === 'A' ? 'B' : 'A') + text.slice(121))
  await expect(perform('rootKey.read', {})).rejects.toThrow('systemd-creds')
})

it.each(['x', key.toUpperCase(), key.repeat(9), key.slice(1)])('takes keys only: %j', async (keys) => {
  await expect(helper().perform('rootKey.keep', { keys })).rejects.toThrow('invalid arguments')
})
