import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Status } from '../../src/api/views.ts'
import { Laptop } from './laptop.ts'
import { pushWeb } from './rollUnderLoad.ts'

describe('a machine is lost', () => {
  let laptop: Laptop
  beforeAll(async () => {
    laptop = await Laptop.start()
    await pushWeb(laptop, { name: 'web', version: '1' })
  })
  afterAll(() => laptop?.remove())

  const until = async (what: (status: Status) => boolean): Promise<Status> => {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
      const status = await laptop.json<Status>('status')
      if (what(status)) return status
    }
    throw new Error(`the expected state was not reached: ${JSON.stringify(await laptop.json('status'), null, 1)}`)
  }

  it('is skipped, and catches up when it returns', async () => {
    const agent = laptop.pidOf('b')
    process.kill(agent, 'SIGSTOP')
    try {
      const lost = await until(({ machines }) => machines.some(({ name, state }) => name === 'b' && state === 'lost'))
      const { lastSeen } = lost.machines.find(({ name }) => name === 'b') ?? {}
      expect(lost.services[0]?.instances).toMatchObject([
        { machine: 'a', state: 'ready', stale: false, asOf: null },
        { machine: 'b', state: 'ready', stale: true, asOf: lastSeen },
      ])
      expect((await laptop.run('status')).out.join('\n')).toMatch(/web-\S+ +b .* was ready .* was 0/)
      const { code, out, err } = await laptop.run('push', laptop.service('web', webText('2')), '--json')
      const { rollout, release } = JSON.parse(out.at(-1) ?? '')
      expect(code).toBe(0)
      expect(rollout).toMatchObject({ state: 'completed' })
      expect(rollout.machines).toMatchObject([
        { machine: 'a', state: 'done' },
        { machine: 'b', state: 'lost' },
      ])
      expect(err).toContain('lost')
      process.kill(agent, 'SIGCONT')
      await until(
        ({ services }) =>
          services[0]?.instances.length === 2 &&
          services[0].instances.every((one) => one.release === release && one.state === 'ready' && !one.stale),
      )
      expect(await (await fetch(laptop.entries['b'] ?? '')).text()).toBe('hello 2')
    } finally {
      process.kill(agent, 'SIGCONT')
    }
  })
})

const webText = (version: string): string =>
  `service: web\nrun: [node, web.mjs]\nenv: { VERSION: "${version}" }\nrollout: { drain: 1s }\n`
