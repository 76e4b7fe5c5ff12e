import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Assembled } from './assembled.ts'
import type { Pushed } from '../system/rollUnderLoad.ts'
import { ask, pushTalker } from '../system/talker.ts'
import { Eyes, Following, until } from '../system/watch.ts'

interface LogLine {
  at: string
  service: string
  instance: string
  stream: string
  text: string
}

describe('a single machine', () => {
  let laptop: Assembled
  let eyes: Eyes
  const entry = (): string => laptop.entries['a'] ?? ''

  beforeAll(async () => {
    laptop = await Assembled.start({ machines: 1 })
    eyes = new Eyes(laptop)
    expect(await pushTalker(laptop, { name: 'solo', version: '1' })).toMatchObject({ exit: 0 })
  })
  afterAll(() => laptop?.remove())

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
