import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const listing = `
  import { registerHooks } from 'node:module'
  registerHooks({ load: (url, context, next) => { console.log(url); return next(url, context) } })`

test('a command loads zod, and of its languages only English', () => {
  const preload = `data:text/javascript,${encodeURIComponent(listing)}`
  const main = join(import.meta.dirname, '../main.ts')
  const { stdout } = spawnSync(process.execPath, ['--import', preload, main, '--version'], { encoding: 'utf8' })
  const ofZod = stdout.split('\n').filter((url) => url.includes('/node_modules/zod/'))
  expect(ofZod.length).toBeGreaterThan(10)
  expect(ofZod.filter((url) => url.includes('/locales/')).map((url) => url.split('/').at(-1))).toEqual(['en.js'])
})
