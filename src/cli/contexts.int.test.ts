import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chooseContext, Contexts } from './contexts.ts'

let folder: string
let contexts: Contexts
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-contexts-'))
  contexts = new Contexts(join(folder, 'tandem'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const local = { url: 'http://127.0.0.1:7480', token: 'tdm_local' }
const production = { url: 'http://10.0.0.10:7480', token: 'tdm_production' }

describe('contexts', () => {
  it('are files that only their user can read', () => {
    contexts.set('local', local)
    contexts.use('local')
    const modes = [join(contexts.folder, 'local.json'), join(folder, 'tandem/current'), contexts.folder]
    expect(modes.map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual(['600', '600', '700'])
  })

  it('are listed, selected, and removed together with the selection', () => {
    contexts.set('production', production)
    contexts.set('local', local)
    contexts.use('production')
    expect([contexts.list(), contexts.current()]).toEqual([['local', 'production'], 'production'])
    contexts.remove('production')
    expect([contexts.list(), contexts.current()]).toEqual([['local'], null])
  })

  it.each(['../evil', 'a/b', '', '.hidden', 'x'.repeat(65)])('refuse the name "%s"', (name) => {
    expect(() => contexts.set(name, local)).toThrow('is not a valid context name')
    expect(() => contexts.get(name)).toThrow('there is no context')
  })

  it('suggest the nearest name', () => {
    contexts.set('production', production)
    expect(() => contexts.get('prodution')).toThrow(expect.objectContaining({ next: 'did you mean production?' }))
  })

  it('name the file whose content is invalid', () => {
    contexts.set('local', local)
    writeFileSync(join(contexts.folder, 'local.json'), '{"url":3}')
    expect(() => contexts.get('local')).toThrow('has no valid url and token')
  })
})

describe('the selected context', () => {
  beforeEach(() => {
    for (const name of ['flag', 'named', 'current']) contexts.set(name, { url: `http://${name}`, token: name })
    contexts.use('current')
  })
  const env = { TANDEM_URL: 'http://environment', TANDEM_TOKEN: 'secret', TANDEM_CONTEXT: 'named' }

  it('comes first from the flag', () => expect(chooseContext(contexts, env, 'flag').url).toBe('http://flag'))
  it('then from the address in the environment', () =>
    expect(chooseContext(contexts, env, undefined)).toEqual({
      context: null,
      url: 'http://environment',
      token: 'secret',
    }))
  it('then from the name in the environment', () =>
    expect(chooseContext(contexts, { TANDEM_CONTEXT: 'named' }, undefined).url).toBe('http://named'))
  it('then is the current context', () => expect(chooseContext(contexts, {}, undefined).url).toBe('http://current'))
  it('is an error for an address without a token: no silent fall-through to another cluster', () =>
    expect(() => chooseContext(contexts, { TANDEM_URL: 'http://environment' }, undefined)).toThrow(
      'TANDEM_TOKEN is not',
    ))
})
