import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Laptop } from './laptop.ts'
import { Load } from './load.ts'
import { failuresOf, type Pushed } from './rollUnderLoad.ts'
import { ask, pushTalker } from './talker.ts'
import { Eyes, Following, until } from './watch.ts'

interface LogLine {
  at: string
  service: string
  instance: string
  stream: string
  text: string
}

describe('a single machine', () => {
  let laptop: Laptop
  let eyes: Eyes
  const entry = (): string => laptop.entries['a'] ?? ''
  const replace = '{ strategy: replace, drain: 200ms }'

  beforeAll(async () => {
    laptop = await Laptop.start({ machines: 1 })
    eyes = new Eyes(laptop)
    expect(await pushTalker(laptop, { name: 'solo', version: '1' })).toMatchObject({ exit: 0 })
  })
  afterAll(() => laptop?.remove())

  it('refuses to replace its last ready instance, and changes nothing', async () => {
    const before = await eyes.service('solo')
    const refused = await pushTalker(laptop, { name: 'solo', version: '2', rollout: replace })
    expect(refused).toMatchObject({ exit: 4, error: { code: 'E_OUTAGE' } })
    expect((await eyes.service('solo')).instances.map(({ id }) => id)).toEqual(before.instances.map(({ id }) => id))
  })

  it('replaces it with --allow-outage: never two at a time, and requests wait until the new instance is ready', async () => {
    const load = new Load({ entries: [entry()], perSecond: 50, shortOnly: true })
    load.start()
    const slowly = { name: 'solo', version: '2', rollout: replace, env: { BOOT_MS: '700' } }
    const pushed = await pushTalker(laptop, slowly, '--allow-outage')
    const result = await load.stop()
    expect(pushed).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
    expect(failuresOf(result)).toEqual([])
    expect(result.versions).toEqual(['1', '2'])
    expect(Math.max(...result.latencies)).toBeGreaterThan(500)
    const phases = pushed.rollout?.machines[0]?.phases.map(({ phase }) => phase) ?? []
    expect(phases.indexOf('stop')).toBeLessThan(phases.indexOf('start'))
  })

  it('runs a command with the release and the environment of a service, and returns its output and exit status', async () => {
    const script = 'cat marker.txt; echo " $VERSION $TANDEM_SERVICE"; echo "not well" >&2; exit 7'
    const { code, out, err } = await laptop.run('run', 'solo', '--', 'sh', '-c', script)
    expect(out).toEqual(['as it was published 2 solo'])
    expect(err).toContain('not well')
    expect(code).toBe(7)
  })

  it('gives an instance exactly the documented environment, including secrets, which appear nowhere else', async () => {
    const file = join(laptop.folder, 'data/env/solo.env')
    mkdirSync(join(laptop.folder, 'data/env'), { recursive: true })
    writeFileSync(file, '# of solo\nPASSWORD="swordfish 1"\n')
    chmodSync(file, 0o644)
    const refused = await laptop.json<Pushed>('restart', 'solo', '--allow-outage')
    expect(refused).toMatchObject({ exit: 1, rollout: { state: 'reverted' } })
    expect(refused.rollout?.reason).toContain('can be read by others')
    chmodSync(file, 0o600)
    expect(
      await pushTalker(laptop, { name: 'solo', version: '3', env: { GREETING: 'on ${PORT}, $$1' } }),
    ).toMatchObject({ exit: 0 })
    const env = JSON.parse((await ask(entry(), '/env')).text) as Record<string, string>
    const { instances, release } = await eyes.service('solo')
    const [instance] = instances
    const data = join(laptop.folder, 'data/a/data/solo')
    const inherited = ['PATH', 'HOME', 'LANG', 'TZ'].filter((name) => name in laptop.env)
    expect(env).toEqual({
      PORT: String(instance?.port),
      HOST: '127.0.0.1',
      TANDEM_SERVICE: 'solo',
      TANDEM_RELEASE: release,
      TANDEM_INSTANCE: instance?.id,
      TANDEM_MACHINE: 'a',
      TANDEM_DATA: data,
      VERSION: '3',
      GREETING: `on ${instance?.port}, $1`,
      PASSWORD: 'swordfish 1',
      ...Object.fromEntries(inherited.map((name) => [name, laptop.env[name]])),
    })
    const ephemeral = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number)
    expect(instance?.port).toSatisfy((port: number) => port < (ephemeral[0] ?? 0) || port > (ephemeral[1] ?? 0))
    for (const path of [
      'controller.log',
      'a/agent.log',
      'a/desired.json',
      'controller/controller.db',
      'controller/controller.db-wal',
    ]) {
      expect(readFileSync(join(laptop.folder, 'data', path)).includes('swordfish'), path).toBe(false)
    }
  })

  it('shows a crash loop outside a rollout once in status and events, and continues to restart', async () => {
    const { position } = (await eyes.status()).controller
    await ask(entry(), '/exit?code=5')
    await until('the instance is back', async () => (await ask(entry())).status === 200)
    // A single crash is no loop; from here on, the instance never comes up again.
    writeFileSync(join(laptop.folder, 'data/env/solo.env'), 'CRASH=9\n')
    await ask(entry(), '/exit?code=5')
    const failed = await until('the crash loop is reported', async () => {
      const [instance] = (await eyes.service('solo')).instances
      return instance && instance.restarts >= 3 && instance
    })
    expect(failed.reason).toContain('status 9')
    const { out } = await laptop.run('status')
    expect(out.join('\n')).toContain('status 9')
    const loops = (await eyes.events(position)).filter(({ type }) => type === 'InstanceFailed')
    expect(loops.length).toBeLessThanOrEqual(2) // one event for each healthy period before
    writeFileSync(join(laptop.folder, 'data/env/solo.env'), '')
    await until('the instance is healthy again', async () => (await ask(entry())).status === 200)
  })

  it('shows the output of ended instances from the requested time, and follows new output', async () => {
    const lines = async (...args: string[]): Promise<LogLine[]> => {
      const { out, code } = await laptop.run('logs', 'solo', '--json', ...args)
      expect(code).toBe(0)
      return out.map((line) => JSON.parse(line) as LogLine) // the documented type
    }
    const all = await lines()
    expect(all.filter(({ text }) => text === 'version 1 says hello')).toHaveLength(1)
    expect(all.find(({ text }) => text === 'version 1 complains')).toMatchObject({ service: 'solo', stream: 'err' })
    const from = new Date().toISOString()
    const following = new Following(laptop, 'logs', 'solo', '-f', '--since', from)
    await ask(entry(), '/print?line=now')
    await until('the new output is shown', () => following.lines.some((line) => line.includes('"now"')))
    following.kill('SIGINT')
    expect(await following.end()).toMatchObject({ exit: 130 })
    const later = await lines('--since', from)
    expect(later.map(({ text }) => text)).toContain('now')
    expect(later.filter(({ at }) => at < from)).toEqual([])
    const gone = all.find(({ text }) => text === 'version 1 says hello')?.instance ?? ''
    const ofOne = await lines('--instance', gone)
    expect(new Set(ofOne.map(({ instance }) => instance))).toEqual(new Set([gone]))
  })

  it('stops, starts and removes a service, and keeps the data without --data', async () => {
    const kept = join(laptop.folder, 'data/a/data/solo/kept')
    writeFileSync(kept, 'mine')
    expect(await laptop.json('stop', 'solo')).toMatchObject({ exit: 0 })
    expect((await eyes.service('solo')).instances).toEqual([])
    expect((await ask(entry())).status).toBe(503)
    expect(await laptop.json('stop', 'solo')).toMatchObject({ exit: 0, rollout: null })
    expect(await laptop.json('start', 'solo')).toMatchObject({ exit: 0 })
    expect((await ask(entry())).version).toBe('3')
    expect(await laptop.json('remove', 'solo')).toMatchObject({ exit: 0 })
    expect((await eyes.status()).services).toEqual([])
    expect((await ask(entry())).status).toBe(404)
    expect(readFileSync(kept, 'utf8')).toBe('mine')
    expect(await pushTalker(laptop, { name: 'solo', version: '5' })).toMatchObject({ exit: 0 })
    expect(await laptop.json('remove', 'solo', '--data')).toMatchObject({ exit: 0 })
    await until('the data is removed', () => {
      try {
        readFileSync(kept)
        return false
      } catch {
        return true
      }
    })
  })
})
