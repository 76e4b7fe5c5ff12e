import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { KeptFiles } from './keptFiles.ts'

function given() {
  const root = mkdtempSync(join(tmpdir(), 'tandem-kept-files-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const helper = () => new KeptFiles(root)
  const has = (service: string) => existsSync(join(root, 'files', service))
  return { helper, has }
}

it('keeps the files of those generations that the machine wants', async () => {
  const { helper, has } = given()
  for (const service of ['gone', 'shop']) await helper().keep(service, 'r1', {})
  await helper().keep('shop', 'r2', {})
  helper().accept('shop', 'r1')
  helper().accept('shop', 'r2')
  helper().keepOnlyThose({ shop: ['r2'], constructor: ['r1'] })
  expect([has('gone'), helper().has('shop', 'r1'), helper().has('shop', 'r2')]).toEqual([false, false, true])
  helper().keepOnlyThose({})
  expect(has('shop')).toBe(false)
})
