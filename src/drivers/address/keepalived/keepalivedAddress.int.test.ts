import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { AddressHost } from './addressHost.ts'
import { writeWhole } from './guardFiles.ts'
import { createKeepalivedAddress } from './keepalivedAddress.ts'
import { keepalivedFiles } from './keepalivedFiles.ts'

const doesNothing: AddressHost = { install: async () => {}, remove: async () => {}, leave: async () => {} }

it('reads the report of the guard whenever the controller answers, and follows it again, if it could not be followed', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tandem-address-'))
  const run = join(root, 'run')
  const files = { ...keepalivedFiles(root, run), word: join(root, 'word.json') }
  const failed: unknown[] = []
  const driver = createKeepalivedAddress({
    ...{ cluster: 'test', machine: 'a', own: '127.0.0.1', files, host: doesNothing, haproxy: null },
    failed: (error) => failed.push(error),
  })
  const saying = (trouble: string): void =>
    writeWhole(files.state, { at: 0, held: [], withheld: null, trouble, reaches: [] })
  try {
    const plan = { position: 1, advert: 100, addresses: ['127.0.0.9'], eligible: true, othersServe: false, peers: [] }
    await driver.apply({ ...plan, yields: [], refused: [] })
    driver.heard()
    expect(failed).toHaveLength(1)
    mkdirSync(run)
    saying('one')
    driver.heard()
    expect(driver.trouble()).toBe('one')
    saying('two')
    await expect.poll(() => driver.trouble()).toBe('two')
    expect(failed).toHaveLength(1)
  } finally {
    await driver.close()
    rmSync(root, { recursive: true })
  }
})
