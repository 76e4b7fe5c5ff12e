import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RolloutView } from '../../src/api/views.ts'
import { Assembled } from './assembled.ts'
import type { Pushed } from '../system/rollUnderLoad.ts'
import { ask, pushTalker, talkerFolder } from '../system/talker.ts'
import { Eyes, Following, isIn, until } from '../system/watch.ts'

describe('rollouts of a pair', () => {
  let laptop: Assembled
  let eyes: Eyes
  let first: Pushed
  const entry = (machine = 'a'): string => laptop.entries[machine] ?? ''

  beforeAll(async () => {
    laptop = await Assembled.start()
    eyes = new Eyes(laptop)
    first = await pushTalker(laptop, { name: 'shop', version: '1', rollout: '{ drain: 20s }' })
    expect(first).toMatchObject({ exit: 0, previous: null, rollout: { state: 'completed' } })
  })
  afterAll(() => laptop?.remove())

  it('prepares once for both machines, with the new release and its environment, before any instance starts', async () => {
    const prepare = `prepare: [sh, -c, 'env > "$TANDEM_DATA/prepared.$TANDEM_RELEASE"; echo x >> "$TANDEM_DATA/count"; cat marker.txt']`
    const pushed = await pushTalker(laptop, { name: 'shop', version: '2', more: prepare })
    expect(pushed).toMatchObject({ exit: 0, previous: first.release })
    const files = ['a', 'b'].map((machine) => join(laptop.folder, 'data', machine, 'data/shop'))
    const counts = files.map((folder) => join(folder, 'count')).filter((path) => existsSync(path))
    expect(counts.map((path) => readFileSync(path, 'utf8'))).toEqual(['x\n'])
    const prepared = files.map((folder) => join(folder, `prepared.${pushed.release}`)).find((path) => existsSync(path))
    const names = [...readFileSync(prepared ?? '', 'utf8').matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name)
    const shells = ['PWD', 'OLDPWD', 'SHLVL', '_']
    const allowed = ['PATH', 'HOME', 'LANG', 'TZ', 'PORT', 'HOST', 'VERSION', ...shells]
    const tandems = ['TANDEM_DATA', 'TANDEM_INSTANCE', 'TANDEM_MACHINE', 'TANDEM_RELEASE', 'TANDEM_SERVICE']
    const others = names.filter((name) => !allowed.includes(name)).sort()
    expect(others).toEqual(tandems)
    const events = await eyes.events()
    const at = (type: string): number => events.findLast((one) => one.type === type)?.position ?? 0
    const started = events.find(
      ({ type, data }) => type === 'StepStarted' && JSON.stringify(data).includes(pushed.release),
    )
    expect(at('PrepareFinished')).toBeLessThan(started?.position ?? 0)
  })

  it('shows prepare as a phase, with its output, while it runs and afterwards', async () => {
    const script =
      'until [ -e "$TANDEM_DATA/begin" ]; do sleep 0.05; done; echo half; until [ -e "$TANDEM_DATA/finish" ]; do sleep 0.05; done; echo twice; echo twice'
    const folder = talkerFolder(laptop, {
      ...{ name: 'shop', version: 'prepared', rollout: '{ drain: 20s }' },
      more: `prepare: [sh, -c, ${JSON.stringify(script)}]`,
    })
    const allow = (name: string): void => {
      for (const machine of ['a', 'b']) writeFileSync(join(laptop.folder, 'data', machine, 'data/shop', name), '')
    }
    const pushing = new Following(laptop, 'push', folder)
    const { id } = await pushing.rollout('prepare is a phase that runs', (one) => isIn(one, 'a', 'prepare'))
    allow('begin')
    await until('the output of prepare is shown while it runs', () => pushing.err.includes('a  │ half\n'))
    expect((await eyes.rollout(id)).prepare).toMatchObject({ machine: 'a', finishedAt: null })
    expect(pushing.err).not.toContain('twice')
    allow('finish')
    const { exit } = await pushing.end()
    expect(exit).toBe(0)
    const shown = /  a  │ half\n(?:  a  │ [^\n]*\n)*  a  │ twice\n  a  │ twice\n(?:  a  │ [^\n]*\n)*  a  prepare  /
    expect(pushing.err).toMatch(shown)
    const { rollout: after } = await laptop.json<{ rollout: RolloutView }>('rollout', 'show', id)
    expect(after.machines[0]?.phases.map(({ phase }) => phase).slice(0, 3)).toEqual(['fetch', 'prepare', 'start'])
    expect(after.prepare).toMatchObject({
      ...{ machine: 'a', instance: `shop-${id}-prepare`, finishedAt: expect.any(String) },
      lastLines: expect.arrayContaining(['half', 'twice', 'twice']),
    })
    const { out } = await laptop.run('rollout', 'show', id)
    expect(out.join('\n')).toMatch(/MACHINE +STATE +FETCH +PREPARE +START/)
    expect(out.join('\n')).toContain(
      `last lines of prepare on a (all: tandem logs shop --instance shop-${id}-prepare):`,
    )
    expect(out.join('\n')).toMatch(/│ half\n(.*\n)*.*│ twice\n.*│ twice/)
  })

  it('is aborted during drain: the same instance finishes the request in progress, and takes traffic again', async () => {
    const drained = { name: 'shop', rollout: '{ drain: 20s }' }
    expect(await pushTalker(laptop, { ...drained, version: 'held' })).toMatchObject({ exit: 0 })
    const before = (await eyes.service('shop')).instances.map(({ id }) => id)
    const held = ask(entry(), '/held')
    await until('the request is in progress', async () =>
      (await eyes.service('shop')).instances.some(({ work }) => work > 0),
    )
    const pushing = new Following(laptop, 'push', talkerFolder(laptop, { ...drained, version: 'half-way' }))
    const { id } = await pushing.rollout('a drains', (one) => isIn(one, 'a', 'drain'))
    const [aborted, pushed] = await Promise.all([laptop.json('rollout', 'abort', id.slice(0, 6)), pushing.end()])
    expect([aborted.exit, pushed.exit, pushed.rollout.state]).toEqual([0, 1, 'aborted'])
    writeFileSync(join(laptop.folder, 'data/a/data/shop/go'), '')
    expect(await held).toMatchObject({ status: 200, text: 'held held' })
    expect((await eyes.service('shop')).instances.map((one) => one.id).sort()).toEqual(before.sort())
  })

  it('ends a DELETE that outlasts the drain with 502 and the reason, and sends it to no other instance', async () => {
    await pushTalker(laptop, { name: 'late', version: '1' })
    const deleting = ask(entry(), '/held', 'late.localhost', 'DELETE')
    await until('the request is in progress', async () =>
      (await eyes.service('late')).instances.some(({ work }) => work > 0),
    )
    const pushed = await pushTalker(laptop, { name: 'late', version: '2' })
    expect(pushed).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
    expect(await deleting).toMatchObject({ status: 502, text: expect.stringContaining('rollout.drain') })
    const notes = ['a', 'b'].map((machine) => join(laptop.folder, 'data', machine, 'data/late/held'))
    const asked = notes.filter((path) => existsSync(path)).map((path) => readFileSync(path, 'utf8'))
    expect(asked.join('').trim().split('\n')).toHaveLength(1)
    await laptop.json('remove', 'late')
  })

  it('gives only its own host name to the second service with the default route', async () => {
    expect(await pushTalker(laptop, { name: 'cart', version: '1' })).toMatchObject({ exit: 0 })
    expect((await ask(entry(), '/', 'cart.localhost')).text).toBe('hello 1')
    expect((await ask(entry(), '/', 'elsewhere.example')).version).toBe('held')
    expect((await ask(entry('b'), '/', 'shop.localhost')).version).toBe('held')
    expect((await eyes.service('cart')).routes).toEqual(['cart.localhost/'])
  })

  it('applies changes of definitions: routes, health, strategy, from http to tcp', async () => {
    const at = async (host: string, path: string): Promise<string> => {
      const { status, version } = await ask(entry('b'), path, host)
      return status === 200 ? version : String(status)
    }
    const routes = 'routes: [{ host: cart.example, path: /api }]'
    expect(await pushTalker(laptop, { name: 'cart', version: '2', more: routes })).toMatchObject({ exit: 0 })
    expect(await at('cart.example', '/api/x')).toBe('2')
    expect(await at('cart.example', '/apix')).toBe('held') // the other service's default route
    const moved = {
      more: 'routes: [{ host: new.example }]',
      health: '{ path: /, every: 20ms }',
      env: { HEALTH: '500' },
    }
    const replace = '{ strategy: replace, drain: 200ms }'
    const pushed = await pushTalker(laptop, { name: 'cart', version: '3', rollout: replace, ...moved })
    expect(pushed).toMatchObject({ exit: 0 })
    expect(await at('new.example', '/')).toBe('3')
    expect(await at('cart.example', '/api')).toBe('held')
    const port = 8_500 + Math.floor(Math.random() * 500)
    const tcp = { more: `listen: tcp\nroutes: [{ port: ${port} }]`, health: '{ every: 20ms }', env: { LISTEN: 'tcp' } }
    const toTcp = await pushTalker(laptop, { name: 'cart', version: '4', ...tcp })
    expect(toTcp.rollout).toMatchObject({ state: 'completed', reason: null })
    for (const at of [port, port + 1000]) expect(await firstLine(at)).toBe('tcp 4\n')
    expect((await eyes.service('cart')).routes).toEqual([`:${port}`])
    expect(await at('new.example', '/')).toBe('held')
    expect(await laptop.json('rollback', 'cart')).toMatchObject({ exit: 0 })
    expect(await at('new.example', '/')).toBe('3')
    await expect(firstLine(port)).rejects.toThrow('ECONNREFUSED')
  })
})

async function firstLine(port: number): Promise<string> {
  const { connect } = await import('node:net')
  const socket = connect(port, '127.0.0.1')
  for await (const part of socket) return String(part)
  throw new Error('there was no answer')
}
