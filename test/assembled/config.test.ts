import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConfigVersionView, SettingView } from '../../src/api/config.ts'
import { runHere } from '../../src/cli/testing/testHost.ts'
import { ask, pushTalker, talkerFolder } from '../system/talker.ts'
import { Assembled } from './assembled.ts'

describe('the configuration of a service on a laptop', () => {
  let laptop: Assembled
  beforeAll(async () => {
    laptop = await Assembled.start({ machines: 2 })
  })
  afterAll(() => laptop?.remove())

  const config = (...argv: string[]) => runHere(['config', ...argv], laptop.env, laptop.folder)
  const envOn = async (machine: string): Promise<Record<string, string>> =>
    JSON.parse((await ask(laptop.entries[machine], '/env')).text) as Record<string, string>
  const more = [
    'config:',
    '  WORKERS: { type: integer, default: 4 }',
    '  GREETING: { required: true }',
    '  COLOUR: {}',
  ].join('\n')
  const talker = (version: string) => ({ name: 'shop', version, env: { SAYS: '${GREETING}!' }, more })

  it('lacks a required value: the push is refused, and the value can be set before the next', async () => {
    expect(await pushTalker(laptop, talker('1'))).toMatchObject({
      ...{ exit: 4, error: { code: 'E_CONFIG', next: 'tandem config set shop GREETING=VALUE' } },
    })
    expect(await config('set', 'shop', 'GREETING=Good morning', '--reason', 'asked for by Ida')).toMatchObject({
      ...{ code: 0, out: expect.stringContaining('shop has configuration 1') },
    })
    expect(await pushTalker(laptop, talker('1'))).toMatchObject({ exit: 0 })
    for (const machine of ['a', 'b']) {
      const env = await envOn(machine)
      expect(env).toMatchObject({ WORKERS: '4', GREETING: 'Good morning', SAYS: 'Good morning!' })
      expect(env).not.toHaveProperty('COLOUR')
    }
  })

  it('changes with a restart, or at once with --roll', async () => {
    expect((await config('set', 'shop', 'WORKERS=8', 'COLOUR=a=b')).out).toContain('tandem restart shop')
    expect((await envOn('a'))['WORKERS']).toBe('4')
    expect((await config('show', 'shop')).out).toMatch(/^WORKERS +8 +integer +4$/m)
    expect((await config('unset', 'shop', 'COLOUR', '--roll')).code).toBe(0)
    for (const machine of ['a', 'b']) expect(await envOn(machine)).toMatchObject({ WORKERS: '8' })
    expect((await config('history', 'shop')).out).toMatch(/^3 \(runs\) .* COLOUR unset/m)
    const { out } = await config('show', 'shop', '--json')
    const shown = JSON.parse(out) as { settings: SettingView[]; versions: ConfigVersionView[] }
    expect(shown).toMatchObject({ newest: 3, runs: 3, rejected: null })
    expect(shown.versions.map(({ version, reason }) => [version, reason])).toEqual([
      ...[
        [3, null],
        [2, null],
        [1, 'asked for by Ida'],
      ],
    ])
  })

  it('is taken back, and refuses what does not fit', async () => {
    const rolled = await config('rollback', 'shop', '--version', '1', '--roll', '--json')
    expect([rolled.code, JSON.parse(rolled.out)]).toMatchObject([
      0,
      { service: 'shop', version: 4, changed: true, rollouts: [{ service: 'shop', rollout: { state: 'completed' } }] },
    ])
    expect((await envOn('b'))['WORKERS']).toBe('4')
    const refused = await config('set', 'shop', 'WORKERS=many')
    expect([refused.code, refused.err]).toEqual([4, expect.stringContaining('WORKERS is an integer, not "many"')])
    expect((await config('set', 'shop', 'WORKER=1')).err).toContain('did you mean WORKERS?')
    expect((await config('set', 'shop', 'WORKERS')).err).toContain('"WORKERS" is not NAME=VALUE')
    expect((await config('set', 'shop', 'WORKERS=9', '--dry-run')).code).toBe(0)
    expect((await config('show', 'shop')).out).toContain('newest: 4; runs with: 4')
  })

  it('goes with one-off commands too', async () => {
    const { out } = await laptop.run('run', 'shop', '--', 'sh', '-c', 'echo $SAYS')
    expect(out.join('\n')).toContain('Good morning!')
  })

  it('is shown for a folder that is not pushed yet, like any key', async () => {
    const checked = await runHere(['validate', talkerFolder(laptop, talker('2'))], laptop.env, laptop.folder)
    expect(checked.code).toBe(0)
  })
})
