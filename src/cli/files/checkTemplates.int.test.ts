import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { parseDefinition } from '../../definitions/parseDefinition.ts'
import { DefinitionError } from '../../definitions/problem.ts'
import { describeFolder } from '../../releases/describeFolder.ts'
import { checkTemplates } from './checkTemplates.ts'

async function check(contents: Record<string, string>, more = ''): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-templates-'))
  for (const [path, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  symlinkSync('conf/a.liquid', join(folder, 'link.liquid'))
  const text = `service: shop\nrun: ./server\nconfig: { WORKERS: {} }\nsecrets: { db: db }\n${more}`
  const { definition } = parseDefinition(text, 'tandem.yaml')
  const description = await describeFolder(folder, { definition })
  try {
    checkTemplates(definition, folder, description)
    return null
  } catch (error) {
    return error instanceof DefinitionError ? error.render().replaceAll(`${folder}/`, '') : error
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const files = 'files: { etc/a: { template: conf/a.liquid }, etc/b: { template: conf/a.liquid } }'

it('accepts templates that the release has', async () => {
  const text = '{{ config.WORKERS }} {{ secrets.db }} {{ cluster.name }} {{ machine.address }} {{ service.release }}'
  expect(await check({ 'conf/a.liquid': text }, files)).toBeNull()
})

it('names every problem of a template once, with its line', async () => {
  expect(await check({ 'conf/a.liquid': 'a\n  b {{ config.WORKER }}\n{{ secrets.bd }}' }, files)).toBe(
    [
      'conf/a.liquid:2:8: undefined variable: config.WORKER (did you mean config.WORKERS?)',
      '  2 |   b {{ config.WORKER }}',
      '             ^',
      '',
      'conf/a.liquid:3:4: undefined variable: secrets.bd (did you mean secrets.db?)',
      '  3 | {{ secrets.bd }}',
      '         ^',
    ].join('\n'),
  )
  expect(await check({ 'conf/a.liquid': '\n{% if config.WORKERS %}' }, files)).toMatch(
    /a.liquid:2:1: tag .* not closed/,
  )
  expect(await check({ 'conf/a.liquid': 'x'.repeat(300_000) }, files)).toMatch(
    /a.liquid:1:1: has 300000 bytes; at most/,
  )
})

it('refuses a template that the release does not have', async () => {
  const missing = { code: 'E_RELEASE_CONTENT', message: 'the release has no file conf/a.liquid, which `files` names' }
  expect(await check({ other: '' }, files)).toMatchObject({
    ...missing,
    next: expect.stringContaining('correct the path'),
  })
  expect(await check({ 'conf/a.liquid': '', '.tandemignore': 'conf\n' }, files)).toMatchObject({
    ...{ ...missing, next: '.tandemignore excludes it; include it and push again' },
  })
  expect(await check({ 'conf/a.liquid': '' }, 'files: { a: { template: link.liquid } }')).toMatchObject({
    code: 'E_RELEASE_CONTENT',
  })
})
