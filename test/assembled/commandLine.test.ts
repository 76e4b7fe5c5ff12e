import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApiClient } from '../../src/api/client.ts'
import type { PastStatus } from '../../src/api/past.ts'
import { Contexts } from '../../src/cli/contexts.ts'
import { foldersOf } from '../../src/cli/folders.ts'
import type { EventView, RolloutView } from '../../src/api/views.ts'
import { Assembled } from './assembled.ts'
import type { Pushed } from '../system/rollUnderLoad.ts'
import { ask, pushTalker, talkerFolder } from '../system/talker.ts'
import { Eyes, Following, isIn, until } from '../system/watch.ts'

interface Refused {
  error: { code: string; message: string; subject: string | null; next: string | null }
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

describe('the command line', () => {
  let laptop: Assembled
  let eyes: Eyes
  let first: Pushed

  beforeAll(async () => {
    laptop = await Assembled.start()
    eyes = new Eyes(laptop)
    first = await pushTalker(laptop, { name: 'shop', version: '1' })
  })
  afterAll(() => laptop?.remove())

  const folder = (name: string, definition: string): string => {
    const path = join(laptop.folder, 'services', name)
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'tandem.yaml'), definition)
    return path
  }
  const refused = (...args: string[]): Promise<Refused & { exit: number }> => laptop.json<Refused>(...args)

  it('prints a rollout in the documented form', () => {
    expect(first).toMatchObject({ exit: 0, service: 'shop', previous: null })
    expect(first.release).toMatch(/^[0-9a-f]{64}$/)
    const { rollout } = first
    expect(rollout).toMatchObject({ state: 'completed', reason: null })
    expect([rollout?.startedAt, rollout?.finishedAt]).toEqual([
      expect.stringMatching(time),
      expect.stringMatching(time),
    ])
    expect(rollout?.machines.map(({ machine, state }) => ({ machine, state }))).toEqual([
      { machine: 'a', state: 'done' },
      { machine: 'b', state: 'done' },
    ])
    const phases = rollout?.machines.flatMap((machine) => machine.phases) ?? []
    for (const { phase, startedAt, finishedAt } of phases) {
      expect(['fetch', 'start', 'probe', 'switch', 'drain', 'stop']).toContain(phase)
      expect([startedAt, finishedAt]).toEqual([expect.stringMatching(time), expect.stringMatching(time)])
    }
    expect(new Set(phases.map(({ phase }) => phase))).toEqual(new Set(['fetch', 'start', 'probe', 'switch']))
  })

  it('prints only one object on each line with --json, whatever a build prints', async () => {
    const more = `build: { command: 'echo built; echo badly >&2', test: 'echo tested' }`
    const { code, out, err } = await laptop.run(
      ...['push', talkerFolder(laptop, { name: 'shop', version: '2', more }), '--json'],
    )
    expect(code).toBe(0)
    for (const line of out) expect(JSON.parse(line)).toBeTypeOf('object')
    expect(err).toMatch(/built[^]*tested/)
    expect(err).toContain('badly')
    expect(err).toMatch(/local: push shop/)
  })

  it('prints status in the documented form', async () => {
    const { code, out } = await laptop.run('status', '--json')
    expect([code, out.length]).toEqual([0, 1])
    const status = JSON.parse(out[0] ?? '') as Record<string, unknown>
    expect(status).toMatchObject({
      cluster: 'local',
      controller: { version: expect.any(String), term: expect.any(Number), position: expect.any(Number) },
      machines: ['a', 'b'].map((name) => ({ name, state: 'ready', lastSeen: expect.stringMatching(time) })),
      services: [
        {
          ...{ service: 'shop', rollout: null },
          instances: ['a', 'b'].map((machine) => ({
            id: expect.any(String),
            machine,
            release: expect.stringMatching(/^[0-9a-f]{64}$/),
            state: 'ready',
            port: expect.any(Number),
            since: expect.stringMatching(time),
          })),
        },
      ],
    })
  })

  it('exits with 1 for a failed build, test or rollout, and shows the last lines of the failed program', async () => {
    const { position } = (await eyes.status()).controller
    for (const build of ['{ command: exit 3 }', '{ test: exit 3 }']) {
      const failed = await refused('push', folder('unbuilt', `service: unbuilt\nrun: [node]\nbuild: ${build}\n`))
      expect(failed).toMatchObject({ exit: 1, error: { code: 'E_BUILD' } })
    }
    expect((await eyes.status()).controller.position).toBe(position)
    const path = talkerFolder(laptop, { name: 'shop', version: 'broken', env: { CRASH: '3' } })
    const { code, err } = await laptop.run('push', path)
    expect(code).toBe(1)
    expect(err).toContain('exited with status 3')
    expect(err).toContain('version broken complains')
  })

  it('shows the last lines of a failed instance also when its machine has lost them', async () => {
    const { rollouts } = await laptop.json<{ rollouts: RolloutView[] }>('rollouts', 'shop')
    const failed = rollouts.at(-1)?.failedInstance ?? ''
    const client = new ApiClient(new Contexts(foldersOf(laptop.env).config).get('local'))
    const sent = (): Promise<unknown> => client.call('lastWords', { params: { instance: failed } }).catch(() => null)
    await expect.poll(sent).not.toBeNull()
    const kept = join(laptop.folder, 'data/a/supervisor/logs')
    const own = readdirSync(kept, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes(failed))
    expect(own.length).toBeGreaterThan(0)
    for (const name of own) rmSync(join(kept, name), { recursive: true, force: true })
    const { code, out, err } = await laptop.run('logs', 'shop', '--instance', failed)
    expect([code, out.join('\n')]).toEqual([0, expect.stringContaining('version broken complains')])
    expect(err).toContain(`machine a sent these lines when ${failed} failed at `)
  })

  it('reports that a module is missing because an ignore file excludes its folder, and how to include it', async () => {
    const path = folder('modules', `service: modules\nrun: [node, server.mjs]\nlisten: none\n`)
    writeFileSync(join(path, 'server.mjs'), "import { hello } from 'greeting'\nhello()\nsetInterval(() => {}, 1e6)\n")
    writeFileSync(join(path, '.gitignore'), 'node_modules')
    const module = join(path, 'node_modules/greeting')
    mkdirSync(module, { recursive: true })
    writeFileSync(join(module, 'package.json'), '{"name":"greeting","type":"module","exports":"./index.js"}')
    writeFileSync(join(module, 'index.js'), 'export const hello = () => {}\n')
    const { code, err, out } = await laptop.run('push', path, '--json')
    expect(code).toBe(1)
    const said = 'the instance did not find node_modules/: .gitignore excludes it from the release'
    expect(err).toContain(said)
    const [, command = ''] = (JSON.parse(out.at(-1) ?? '') as { hint?: string }).hint?.split('\n') ?? []
    execFileSync('sh', ['-c', command], { cwd: path })
    expect((await laptop.run('push', path, '--json')).code).toBe(0)
  })

  it('leaves nothing running of a first release that fails', async () => {
    const pushed = await pushTalker(laptop, { name: 'stillborn', version: '1', env: { CRASH: '3' } })
    expect(pushed).toMatchObject({ exit: 1, previous: null, rollout: { state: 'reverted' } })
    const status = await eyes.status()
    expect(status.services.find(({ service }) => service === 'stillborn')?.instances ?? []).toEqual([])
    expect(await laptop.json('stop', 'stillborn')).toMatchObject({ exit: 0, release: pushed.release, rollout: null })
    expect(await laptop.json('remove', 'stillborn')).toMatchObject({ exit: 0 })
  })

  it('exits with 2 for wrong usage and wrong definitions, with file, line and column', async () => {
    expect(await refused('pish')).toMatchObject({ exit: 2, error: { code: 'E_USAGE' } })
    expect(await refused('status', '--nonsense')).toMatchObject({ exit: 2, error: { code: 'E_USAGE' } })
    expect(await refused('logs', 'shop', '--since', 'yesterday')).toMatchObject({ exit: 2, error: { code: 'E_USAGE' } })
    const path = folder('wrong', 'service: wrong\nrum: [node]\nlisten: httpp\n')
    for (const command of [
      ['push', path],
      ['validate', join(path, 'tandem.yaml')],
    ]) {
      const { code, out, err } = await laptop.run(...command)
      expect(code).toBe(2)
      const said = [...out, err].join('\n')
      expect(said).toMatch(/tandem\.yaml:2:1: /)
      expect(said).toMatch(/tandem\.yaml:3:9: /)
      expect(said).toContain('rum: [node]')
    }
    expect(await refused('push', path)).toMatchObject({ exit: 2, error: { code: 'E_DEFINITION' } })
  })

  it('refuses a rollout to machines that lack what it requires, also with --dry-run, and begins nothing', async () => {
    const lacking = folder(
      'needy',
      'service: needy\nrun: [sleep, "1000"]\nlisten: none\nrequires: { commands: [sh, no-such-program], memory: 4M }\n',
    )
    const lacks = 'machine a lacks the program no-such-program; machine b lacks the program no-such-program'
    const error = { code: 'E_REQUIREMENTS', message: lacks, next: 'install on this computer: no-such-program' }
    const failed = await refused('push', lacking)
    expect(failed).toMatchObject({ exit: 4, error })
    expect((await eyes.status()).services.map(({ service }) => service)).not.toContain('needy')
    const { out } = await laptop.run('releases', 'needy', '--json')
    const [release] = (JSON.parse(out[0] ?? '') as { releases: { release: string }[] }).releases
    const rehearsed = await refused('deploy', 'needy', '--release', release?.release ?? '', '--dry-run')
    expect(rehearsed).toMatchObject({ exit: 4, error })
  })

  it('exits with 3 when the controller is unreachable, with 4 when it refuses', async () => {
    const port = '1' // no process listens on this port
    const [env, before] = [laptop.env, { ...laptop.env }]
    Object.assign(env, { TANDEM_URL: `http://127.0.0.1:${port}`, TANDEM_TOKEN: 'x' })
    const away = await refused('status')
    Object.assign(env, { TANDEM_URL: `http://127.0.0.1:${laptop.port}`, TANDEM_TOKEN: 'x' })
    const unknown = await refused('status')
    for (const name of ['TANDEM_URL', 'TANDEM_TOKEN']) delete env[name]
    Object.assign(env, before)
    expect(away).toMatchObject({ exit: 3, error: { code: 'E_CONTROLLER_UNREACHABLE' } })
    expect(unknown).toMatchObject({ exit: 4, error: { code: 'E_TOKEN_UNKNOWN' } })
    for (const [args, code] of [
      [['status', 'nobody'], 'E_NO_SUCH_SERVICE'],
      [['restart', 'nobody'], 'E_NO_SUCH_SERVICE'],
      [['rollout', 'show', 'zzzz'], 'E_NO_SUCH_ROLLOUT'],
      [['machine', 'ready', 'z'], 'E_NO_SUCH_MACHINE'],
    ] as const) {
      const { exit, error } = await refused(...args)
      expect({ exit, code: error.code }).toEqual({ exit: 4, code })
      expect([error.message, error.next]).toEqual([expect.stringMatching(/./), expect.stringMatching(/./)])
    }
  })

  it('leaves the rollout running when push is interrupted, exits with 130, and prints how to follow and abort it', async () => {
    const text = { name: 'shop', version: 'interrupted', env: { BOOT_MS: '1000' } }
    const pushing = new Following(laptop, 'push', talkerFolder(laptop, text))
    const { id } = await pushing.rollout('a probes', (one) => isIn(one, 'a', 'probe'))
    pushing.kill('SIGINT')
    expect((await pushing.end()).exit).toBe(130)
    expect(pushing.err).toContain(`tandem rollout show ${id}`)
    expect(pushing.err).toContain(`tandem rollout abort ${id}`)
    expect((await eyes.rollout(id)).state).toBe('running')
    const shown = await laptop.json('rollout', 'show', id.slice(0, 5))
    expect(shown).toMatchObject({ exit: 0, rollout: { id, state: 'completed' } })
    expect((await ask(laptop.entries['b'])).version).toBe('interrupted')
    const { exit, error } = await refused('rollout', 'abort', id)
    expect({ exit, code: error.code }).toEqual({ exit: 4, code: 'E_ROLLOUT_OVER' })
  })

  it('says that nothing was rolled out when push is interrupted before its rollout', async () => {
    const folder = laptop.service('early', 'service: early\nrun: ./a\nbuild: { command: sleep 600, output: out }\n')
    const pushing = new Following(laptop, 'push', folder)
    await expect.poll(() => pushing.err).toContain('build: sleep 600')
    pushing.kill('SIGINT')
    expect((await pushing.end()).exit).toBe(130)
    expect(pushing.err).toContain('interrupted: early was not rolled out')
  })

  it('shows with --dry-run what a command would do, or why it is refused, and changes nothing', async () => {
    const position = async (): Promise<number> => (await eyes.status()).controller.position
    const before = await position()
    const dry = await laptop.json<{ dryRun: true; events: { type: string }[] }>('restart', 'shop', '--dry-run')
    expect(dry).toMatchObject({ exit: 0, dryRun: true })
    expect(dry.events.map(({ type }) => type)).toContain('RolloutStarted')
    const shown = await laptop.run('machine', 'drain', 'a', '--dry-run')
    expect(shown).toMatchObject({ code: 0, err: expect.stringContaining('dry run: nothing changes') })
    expect(shown.out[1]).toMatch(/^ {2}Machine\w+ {2}machine=a/)
    expect(await laptop.run('start', 'shop', '--dry-run')).toMatchObject({ code: 0, out: ['there is nothing to do'] })
    expect(await refused('deploy', 'shop', '--release', '0000', '--dry-run')).toMatchObject({
      exit: 4,
      error: { code: 'E_RELEASE_GONE' },
    })
    expect(await position()).toBe(before)
  })

  it('prints the event log, also from a position, and new events', async () => {
    const { out } = await laptop.run('events', '--json')
    const all = out.map((line) => JSON.parse(line) as EventView) // the documented type
    expect(all.map(({ position }) => position)).toEqual(all.map((_, index) => index + 1))
    const middle = all[Math.floor(all.length / 2)]?.position ?? 0
    const following = new Following(laptop, 'events', '-f', '--after', String(middle))
    await until('the follower has caught up', () => following.lines.length === all.length - middle)
    expect(await laptop.json('stop', 'shop')).toMatchObject({ exit: 0 })
    await until(
      'the follower has seen the end of the rollout',
      () =>
        following.lines.some((line) => line.includes('"kind":"stop"')) &&
        following.lines.at(-1)?.includes('RolloutFinished'),
    )
    following.kill('SIGINT')
    await following.end()
    const positions = following.lines.map((line) => (JSON.parse(line) as EventView).position)
    expect(positions).toEqual(positions.map((_, index) => middle + 1 + index))
  })

  it('shows where each event comes from, and finds events from the newest on', async () => {
    const find = async (...args: string[]): Promise<EventView[]> =>
      (await laptop.run('events', ...args, '--json')).out.map((line) => JSON.parse(line) as EventView) // as above
    const started = await find('--service', 'shop', '--type', 'RolloutStarted')
    expect(started.length).toBeGreaterThan(0)
    expect(new Set(started.map(({ by, cause }) => `${by} ${cause}`))).toEqual(new Set(['tandem up undefined']))
    const [last] = await find('--last', '1')
    expect(last).toEqual((await find()).at(-1))
    const ready = await find('--type', 'InstanceReady', '--machine', 'b', '-n', '2')
    expect(ready.map(({ by }) => by)).toEqual(ready.map(() => 'machine b'))
    expect(ready.every(({ position, cause }) => typeof cause === 'number' && cause < position)).toBe(true)
    const [first] = started
    const followed = await find('--from', String(first?.position), '--changes')
    expect(followed.map(({ type }) => type)).toEqual(['RolloutStarted', 'RolloutFinished'])
    expect(await laptop.run('events', '--from', '1', '-f')).toMatchObject({ code: 2 })
    const { out } = await laptop.run('events', '--rollout', started.at(-1)?.data['rollout'] as string, '--last', '1') // a text
    expect(out[0]).toMatch(/ {2}RolloutFinished .* {2}after \d+$/)
  })

  it('shows the past: status, rollouts and one rollout as they were at a position or time', async () => {
    const started = (await laptop.run('events', '--type', 'RolloutStarted', '--service', 'shop', '--json')).out
      .map((line) => JSON.parse(line) as EventView) // as above
      .at(-1)
    const [position, rollout] = [String(started?.position), String(started?.data['rollout'])]
    const then = await laptop.json<PastStatus>('status', 'shop', '--at', position)
    expect(then).toMatchObject({ exit: 0, asOf: { position: started?.position, at: started?.at } })
    expect(then.services[0]?.rollout).toMatchObject({ id: rollout, state: 'running' })
    expect(then.services[0]?.instances.every(({ work }) => work === null)).toBe(true)
    const { rollouts } = await laptop.json<{ rollouts: RolloutView[] }>('rollouts', 'shop', '--at', position)
    expect(rollouts.at(-1)).toMatchObject({ id: rollout, state: 'running', finishedAt: null })
    expect(await laptop.json('rollout', 'show', rollout, '--at', started?.at ?? '')).toMatchObject({
      rollout: { id: rollout, state: 'running' },
    })
    const before = String((started?.position ?? 1) - 1)
    expect(await refused('rollout', 'show', rollout, '--at', before)).toMatchObject({
      ...{ exit: 4, error: { code: 'E_NO_SUCH_ROLLOUT' } },
    })
    expect((await laptop.run('status', '--at', position)).out[0]).toBe(`as of position ${position}, ${started?.at}`)
    expect((await laptop.run('rollouts', '--at', '30d')).out.slice(1)).toEqual(['no rollouts yet'])
    expect(await refused('status', '--at', '999999999')).toMatchObject({ error: { code: 'E_BEYOND_LOG' } })
    expect(await refused('status', '--at', 'yesterday')).toMatchObject({ exit: 2, error: { code: 'E_USAGE' } })
  })

  it('accepts any unambiguous prefix of a release or rollout, and reports an ambiguous one', async () => {
    const { releases } = await laptop.json<{ releases: { release: string }[] }>('releases', 'shop')
    expect(releases.length).toBeGreaterThanOrEqual(4)
    const { rollouts } = await laptop.json<{ rollouts: { id: string; service: string }[] }>('rollouts', 'shop')
    expect(new Set(rollouts.map(({ service }) => service))).toEqual(new Set(['shop']))
    expect(rollouts.map(({ id }) => id)).toContain(first.rollout?.id)
    const deployed = await laptop.json<Pushed>('deploy', 'shop', '--release', first.release.slice(0, 12))
    expect(deployed).toMatchObject({ exit: 0, release: first.release })
    const notDeployed = await pushTalker(laptop, { name: 'shop', version: 'later' }, '--no-deploy')
    expect(notDeployed).toMatchObject({ exit: 0, rollout: null })
    expect((await eyes.service('shop')).release).toBe(first.release)
  })
})
