import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failuresOf, line, web } from '../system/rollUnderLoad.ts'
import { ClientLoad } from './clientLoad.ts'
import { Pair, tcpPort } from './pair.ts'
import { whyNoLab } from './requirements.ts'

const why = whyNoLab()
const bootMs = 700_000
const long = { timeout: 300_000 }
const soon = { timeout: 60_000 }

describe.skipIf(why)(`leaving${why ? ` (skipped: ${why})` : ''}`, () => {
  let pair: Pair
  beforeAll(async () => {
    pair = await Pair.open()
    await pair.roll('web', web({ name: 'web', version: '1' }))
    const more = `routes: [{ port: ${tcpPort} }]\n`
    await pair.roll('line', line({ name: 'line', version: '1', more }), 'line.mjs')
  }, bootMs)
  afterAll(() => pair?.close())

  const a = () => pair.lab.machine('a')
  const services = (): Promise<string> => a().must(['pgrep', '-f', 'web.mjs|line.mjs|haproxy -Ws'])
  const left = async (...args: string[]): Promise<Record<string, unknown> & { code: number }> => {
    const { code, out } = await a().run(['tandem', 'agent', 'leave', ...args, '--json'])
    return { ...(JSON.parse(out) as Record<string, unknown>), code } // one line of JSON
  }
  const answer = async (): Promise<string> =>
    (await pair.lab.client.run(['curl', '-s', '--max-time', '2', pair.entries[0] ?? ''])).out

  it(
    'takes Tandem off a machine, and no request is lost: services and HAProxy go on, also after a reboot',
    long,
    async () => {
      const before = await services()
      const load = new ClientLoad(pair.lab, { entries: pair.entries, perSecond: 200, tcp: pair.tcpEntries })
      // Cut off in the middle, three times; then whole.
      for (const afterMs of ['0.15', '0.3', '0.6']) {
        await a().run(['timeout', '-s', 'KILL', afterMs, 'tandem', 'agent', 'leave'])
      }
      const outcome = await left()
      expect(failuresOf(await load.stop())).toEqual([])
      expect(outcome['units']).toEqual(expect.arrayContaining(['tandem-haproxy.service']))
      expect(outcome['units']).toHaveLength(3)
      expect(await services()).toBe(before)
      expect((await a().run(['systemctl', 'cat', 'tandem-agent'])).code).not.toBe(0)
      expect((await a().must(['ls', '/var/lib/tandem'])).split('\n')).not.toContain('joined.json')
      await a().reboot()
      await expect.poll(answer, soon).toBe('hello 1')
    },
  )

  it('removes everything with --purge, and the data only when told', long, async () => {
    await a().must(['sh', '-c', 'echo precious > /var/lib/private/tandem-data/web/kept'])
    expect(await left('--purge')).toMatchObject({ code: 2, error: { code: 'E_USAGE' } })
    expect(await answer()).toBe('hello 1')
    expect(await left('--purge', '--keep-data')).toMatchObject({ code: 0, units: [], keptData: ['web'] })
    expect((await a().run(['pgrep', '-f', 'web.mjs|line.mjs|haproxy'])).code).toBe(1)
    expect((await a().run(['systemctl', 'list-unit-files', 'tandem*', '--no-legend'])).out.trim()).toBe('')
    expect((await a().run(['ls', '/var/lib/tandem'])).code).not.toBe(0)
    expect(await a().must(['cat', '/var/lib/private/tandem-data/web/kept'])).toBe('precious\n')
    expect(await left('--purge', '--remove-data')).toMatchObject({ code: 2 })
  })

  it('the machine joins again, and serves', long, async () => {
    await pair.join('a')
    await pair.until('ready', ['a'])
    await expect.poll(answer, soon).toBe('hello 1')
  })
})
