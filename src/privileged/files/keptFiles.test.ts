import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { KeptFiles } from './keptFiles.ts'

function given() {
  const root = mkdtempSync(join(tmpdir(), 'tandem-kept-files-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const helper = (boot = '1') => new KeptFiles(root, boot)
  const has = (service: string) => existsSync(join(root, 'files', service))
  return { helper, has }
}

it('keeps files of a service whose first instance waits, while the helper ends and starts again', async () => {
  const { helper } = given()
  await helper().keep('shop', 'r1', {})
  helper().accept('shop', 'r1')
  helper().sweep([])
  expect(helper().has('shop', 'r1')).toBe(true)
})

it('removes files of a service without a unit that nobody wanted since the machine started', async () => {
  const { helper, has } = given()
  const services = ['gone', 'shop', 'asked', 'refused']
  for (const service of services) await helper().keep(service, 'r1', {})
  for (const service of services.slice(0, 3)) helper().accept(service, 'r1')
  helper('2').accept('asked', 'r1')
  helper('2').sweep([{ unit: 'tandem-shop-r1-a-1.service', service: 'shop' }])
  expect(services.filter(has)).toEqual(['shop', 'asked'])
})
