import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ownFiles } from './ownFiles.ts'

function fillIn(template: string, secrets: Record<string, Buffer> = {}, limits?: Parameters<typeof ownFiles>[1]) {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-files-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'a.liquid'), template)
  const request = {
    ...{ folder, files: { 'etc/a': 'a.liquid' }, variables: { config: { N: 4 } } },
    secrets: Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, value.toString('base64')])),
  }
  return ownFiles(process.env, limits).fillIn({ service: 'shop', generation: 'r1', order: null, request })
}

it('fills in files in a process of its own', async () => {
  expect(await fillIn('{{ config.N }} ä {{ secrets.db }}\n', { db: Buffer.from('ü\n') })).toEqual({
    files: { 'etc/a': '4 ä ü\n\n' },
  })
})

it('answers with the problem, without secrets', async () => {
  expect(await fillIn('\n{{ config.M }}')).toEqual({ problem: 'a.liquid:2:4: undefined variable: config.M' })
  expect(await fillIn('', { db: Buffer.from([0xff, 0xfe]) })).toEqual({
    problem: 'the secret db is not text in UTF-8, so no template can hold it',
  })
  expect(await fillIn('{{ config[secrets.db] }}', { db: Buffer.from('a long secret') })).toEqual({
    problem: 'a.liquid:1:4: undefined variable: config.********',
  })
})

it('ends a process that takes too long or too much memory', async () => {
  expect(await fillIn('', {}, { timeoutMs: 1, heapMegabytes: 64 })).toEqual({
    problem: 'the templates take longer than 0.001 s',
  })
  expect(await fillIn('', {}, { timeoutMs: 60_000, heapMegabytes: 2 })).toEqual({
    problem: 'the templates need too much memory',
  })
})
