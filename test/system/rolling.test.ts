import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RolloutView } from '../../src/api/views.ts'
import { Laptop } from './laptop.ts'
import { Load } from './load.ts'
import { failuresOf, type Pushed } from './rollUnderLoad.ts'
import { ask, pushTalker, talkerFolder } from './talker.ts'
import { Eyes, Following, isIn, until } from './watch.ts'

describe('rollouts of a pair', () => {
  let laptop: Laptop
  let eyes: Eyes
  let first: Pushed
  const entry = (machine = 'a'): string => laptop.entries[machine] ?? ''
  const releases = async (service: string): Promise<string[]> => [
    ...new Set((await eyes.service(service)).instances.map(({ release }) => release)),
  ]

  beforeAll(async () => {
    laptop = await Laptop.start()
    eyes = new Eyes(laptop)
    first = await pushTalker(laptop, { name: 'shop', version: '1', rollout: '{ drain: 20s }' })
    expect(first).toMatchObject({ exit: 0, previous: null, rollout: { state: 'completed' } })
  })
  afterAll(() => laptop?.remove())

  it('does nothing if the pushed release runs already', async () => {
    expect(await pushTalker(laptop, { name: 'shop', version: '1', rollout: '{ drain: 20s }' })).toMatchObject({
      exit: 0,
      rollout: null,
    })
  })

  it('restarts with new instances of the same release, under load, without a failure', async () => {
    const before = (await eyes.service('shop')).instances.map(({ id }) => id)
    const load = new Load({ entries: Object.values(laptop.entries), perSecond: 50, shortOnly: true })
    load.start()
    const restarted = await laptop.json<Pushed>('restart', 'shop')
    const result = await load.stop()
    expect(restarted).toMatchObject({ exit: 0, release: first.release, rollout: { state: 'completed' } })
    const { instances, release } = await eyes.service('shop')
    expect(release).toBe(first.release)
    expect(instances).toHaveLength(2)
    expect(instances.filter(({ id }) => before.includes(id))).toEqual([])
    expect(failuresOf(result)).toEqual([])
    expect(result.requests).toBeGreaterThan(5)
  })

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

  it('changes nothing when prepare fails', async () => {
    const before = await eyes.service('shop')
    const pushed = await pushTalker(laptop, {
      name: 'shop',
      version: 'badly prepared',
      more: `prepare: [sh, -c, 'echo no table; exit 7']`,
    })
    expect(pushed).toMatchObject({ exit: 1, rollout: { state: 'reverted' } })
    expect(pushed.rollout?.reason).toContain('exited with status 7')
    expect(pushed.rollout?.machines.map(({ state }) => state)).toEqual(['untouched', 'untouched'])
    expect(pushed.rollout?.machines[0]?.phases).toMatchObject([
      {},
      { phase: 'prepare', finishedAt: expect.any(String) },
    ])
    const after = await eyes.service('shop')
    expect(after.instances).toEqual(before.instances.map((one) => ({ ...one, work: expect.any(Number) })))
    expect(after.release).toBe(before.release)
  })

  it('runs prepare no second time when its agent is killed meanwhile, ends what is left of it, and goes back', async () => {
    const data = join(laptop.folder, 'data/a')
    const script = 'echo $$ >> "$TANDEM_DATA/preparing"; exec sleep 1000'
    const folder = talkerFolder(laptop, {
      ...{ name: 'shop', version: 'killed', rollout: '{ drain: 20s }' },
      more: `prepare: [sh, -c, ${JSON.stringify(script)}]`,
    })
    const pushing = new Following(laptop, 'push', folder)
    const { id } = await pushing.rollout('prepare runs', (one) => isIn(one, 'a', 'prepare'))
    const pids = (): string[] =>
      existsSync(join(data, 'data/shop/preparing'))
        ? readFileSync(join(data, 'data/shop/preparing'), 'utf8').trim().split('\n')
        : []
    await until('prepare runs', () => pids().length === 1)
    process.kill(laptop.pidOf('a'), 'SIGKILL')
    expect((await pushing.end()).exit).toBe(1)
    expect((await eyes.rollout(id)).reason).toContain('prepare failed on machine a: the agent ended while prepare ran')
    expect(pids()).toHaveLength(1)
    expect(existsSync(`/proc/${pids()[0]}`)).toBe(false)
    const { jobs } = JSON.parse(readFileSync(join(data, 'jobs.json'), 'utf8')) as { jobs: unknown[] }
    expect(jobs.at(-1)).toMatchObject({ kind: 'prepare', id, state: 'ended', ending: { how: 'interrupted' } })
    await expect
      .poll(async () => (await eyes.service('shop')).instances.map(({ state }) => state), { timeout: 20_000 })
      .toEqual(['ready', 'ready'])
  })

  it('changes from one instance to three and back, and all of them answer', async () => {
    expect(await pushTalker(laptop, { name: 'shop', version: '3', more: 'instances: 3' })).toMatchObject({ exit: 0 })
    expect((await eyes.service('shop')).instances.map(({ machine, state }) => `${machine} ${state}`).sort()).toEqual([
      ...['a ready', 'a ready', 'a ready', 'b ready', 'b ready', 'b ready'],
    ])
    const answered = new Set<string>()
    await until('three instances of a answer', async () => answered.add((await ask(entry())).instance).size === 3)
    expect(await pushTalker(laptop, { name: 'shop', version: '4' })).toMatchObject({ exit: 0 })
    expect((await eyes.service('shop')).instances).toHaveLength(2)
  })

  it('rolls back twice to the first release, and by a prefix to any published release', async () => {
    const current = (await eyes.service('shop')).release ?? ''
    const once = await laptop.json<Pushed>('rollback', 'shop')
    expect(once).toMatchObject({ exit: 0, previous: current })
    expect((await ask(entry())).version).toBe('3')
    expect(await laptop.json<Pushed>('rollback', 'shop')).toMatchObject({ exit: 0, release: current })
    expect((await ask(entry('b'))).version).toBe('4')
    const back = await laptop.json<Pushed>('rollback', 'shop', '--to', first.release.slice(0, 10))
    expect(back).toMatchObject({ exit: 0, release: first.release })
    expect(await releases('shop')).toEqual([first.release])
  })

  it('refuses to roll to an unknown release, and changes nothing', async () => {
    const { position } = (await eyes.status()).controller
    for (const args of [
      ['rollback', 'shop', '--to', 'ffffffff'],
      ['deploy', 'shop', '--release', 'f'.repeat(64)],
    ]) {
      expect(await laptop.json(...args)).toMatchObject({ exit: 4, error: { code: 'E_RELEASE_GONE' } })
    }
    expect((await eyes.status()).controller.position).toBe(position)
  })

  describe('an abort in the middle of a rollout', () => {
    const text = { name: 'shop', version: 'half-way' }
    /** Aborts, waits for the end, and returns the state after it. */
    const abort = async (pushing: Following, id: string, meanwhile = (): void => {}): Promise<unknown> => {
      const aborting = laptop.json('rollout', 'abort', id.slice(0, 6))
      await until('the rollout is reverting', async () => (await eyes.rollout(id)).state !== 'running')
      meanwhile()
      const [aborted, pushed] = await Promise.all([aborting, pushing.end()])
      const { instances, release, rollout } = await eyes.service('shop')
      return {
        exits: [aborted.exit, pushed.exit],
        state: pushed.rollout.state,
        runs: [rollout, release, ...instances.map((one) => `${one.machine} ${one.state} ${one.release}`).sort()],
        answers: (await ask(entry())).version,
      }
    }
    const allBack = (): unknown => ({
      exits: [0, 1],
      state: 'aborted',
      runs: [null, first.release, `a ready ${first.release}`, `b ready ${first.release}`],
      answers: '1',
    })
    const begin = (more: Partial<Parameters<typeof pushTalker>[1]> = {}): Following =>
      new Following(laptop, 'push', talkerFolder(laptop, { ...text, ...more }))

    it('during fetch', async () => {
      const agent = laptop.pidOf('b')
      process.kill(agent, 'SIGSTOP')
      try {
        const pushing = begin({ env: { WHERE: 'fetch' } })
        const { id } = await pushing.rollout('b fetches', (one) => isIn(one, 'b', 'fetch'))
        expect(await abort(pushing, id, () => process.kill(agent, 'SIGCONT'))).toEqual(allBack())
      } finally {
        process.kill(agent, 'SIGCONT')
      }
    })

    it('during prepare, which is stopped', async () => {
      const pushing = begin({ more: `prepare: [sh, -c, 'echo $$ > "$TANDEM_DATA/preparing"; exec sleep 100']` })
      const file = ['a', 'b'].map((machine) => join(laptop.folder, 'data', machine, 'data/shop/preparing'))
      const pid = await until('prepare runs', () => {
        const path = file.find((one) => existsSync(one))
        return path !== undefined && Number(readFileSync(path, 'utf8'))
      })
      const { id } = await pushing.rollout('it runs', () => true)
      expect(await abort(pushing, id)).toEqual(allBack())
      await until('prepare has ended', () => !existsSync(`/proc/${pid}`))
    })

    it('during the start on the second machine, when the first is done', async () => {
      const agent = laptop.pidOf('b')
      try {
        const pushing = begin({ env: { BOOT_MS: '500' } })
        await pushing.rollout('a probes', (one) => isIn(one, 'a', 'probe'))
        process.kill(agent, 'SIGSTOP')
        const { id } = await pushing.rollout('b starts', (one) => isIn(one, 'b', 'start'))
        expect(await abort(pushing, id, () => process.kill(agent, 'SIGCONT'))).toEqual(allBack())
      } finally {
        process.kill(agent, 'SIGCONT')
      }
    })

    it('during probe', async () => {
      const pushing = begin({ env: { HEALTH: '500' } })
      const { id } = await pushing.rollout('a probes', (one) => isIn(one, 'a', 'probe'))
      expect(await abort(pushing, id)).toEqual(allBack())
    })

    it('during drain: the same instance finishes the request in progress, and takes traffic again', async () => {
      const before = (await eyes.service('shop')).instances.map(({ id }) => id)
      const held = ask(entry(), '/held')
      await until('the request is in progress', async () =>
        (await eyes.service('shop')).instances.some(({ work }) => work > 0),
      )
      const pushing = begin({ env: { WHERE: 'drain' } })
      const { id } = await pushing.rollout('a drains', (one) => isIn(one, 'a', 'drain'))
      expect(await abort(pushing, id)).toEqual(allBack())
      writeFileSync(join(laptop.folder, 'data/a/data/shop/go'), '')
      expect(await held).toMatchObject({ status: 200, text: 'held 1' })
      expect((await eyes.service('shop')).instances.map((one) => one.id).sort()).toEqual(before.sort())
    })
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

  it('rolls out one service only once at a time, but two services in parallel', async () => {
    const goOn = join(laptop.folder, 'go-on')
    const slowly = { name: 'shop', version: 'slowly', env: { BOOT_AFTER: goOn } }
    const pushing = new Following(laptop, 'push', talkerFolder(laptop, slowly))
    const { id } = await pushing.rollout('a probes', (one) => isIn(one, 'a', 'probe'))
    const [refused, other] = await Promise.all([
      laptop.json<{ error: { message: string } }>('restart', 'shop'),
      pushTalker(laptop, { name: 'cart', version: '1' }),
    ])
    expect(refused).toMatchObject({ exit: 4, error: { code: 'E_ROLLOUT_IN_PROGRESS' } })
    expect(refused.error.message).toContain(id)
    expect(other).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
    expect((await eyes.rollout(id)).finishedAt).toBeNull()
    writeFileSync(goOn, '')
    expect(await pushing.end()).toMatchObject({ exit: 0, rollout: { id, state: 'completed' } })
  })

  it('gives only its own host name to the second service with the default route', async () => {
    expect((await ask(entry(), '/', 'cart.localhost')).text).toBe('hello 1')
    expect((await ask(entry(), '/', 'elsewhere.example')).version).toBe('slowly')
    expect((await ask(entry('b'), '/', 'shop.localhost')).version).toBe('slowly')
    expect((await eyes.service('cart')).routes).toEqual(['cart.localhost/'])
  })

  it('refuses a route that another service holds, naming it', async () => {
    const routes = 'routes: [{ host: cart.example, path: /api }]'
    expect(await pushTalker(laptop, { name: 'cart', version: '2', more: routes })).toMatchObject({ exit: 0 })
    const taken = await laptop.json<{ error: { message: string } }>(
      'push',
      talkerFolder(laptop, { name: 'thief', version: '1', more: routes }),
    )
    expect(taken).toMatchObject({ exit: 4, error: { code: 'E_ROUTE_TAKEN' } })
    expect(taken.error.message).toContain('cart')
    expect((await eyes.status()).services.map(({ service }) => service)).not.toContain('thief')
  })

  it('applies changes of definitions: routes, health, strategy, from http to tcp', async () => {
    const at = async (host: string, path: string): Promise<string> => {
      const { status, version } = await ask(entry('b'), path, host)
      return status === 200 ? version : String(status)
    }
    expect(await at('cart.example', '/api/x')).toBe('2')
    expect(await at('cart.example', '/apix')).toBe('slowly') // the other service's default route
    const moved = {
      more: 'routes: [{ host: new.example }]',
      health: '{ path: /, every: 20ms }',
      env: { HEALTH: '500' },
    }
    const replace = '{ strategy: replace, drain: 200ms }'
    const pushed = await pushTalker(laptop, { name: 'cart', version: '3', rollout: replace, ...moved })
    expect(pushed).toMatchObject({ exit: 0 })
    expect(await at('new.example', '/')).toBe('3')
    expect(await at('cart.example', '/api')).toBe('slowly')
    const port = 8_500 + Math.floor(Math.random() * 500)
    const tcp = { more: `listen: tcp\nroutes: [{ port: ${port} }]`, health: '{ every: 20ms }', env: { LISTEN: 'tcp' } }
    const toTcp = await pushTalker(laptop, { name: 'cart', version: '4', ...tcp })
    expect(toTcp.rollout).toMatchObject({ state: 'completed', reason: null })
    for (const at of [port, port + 1000]) expect(await firstLine(at)).toBe('tcp 4\n')
    expect((await eyes.service('cart')).routes).toEqual([`:${port}`])
    expect(await at('new.example', '/')).toBe('slowly')
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
