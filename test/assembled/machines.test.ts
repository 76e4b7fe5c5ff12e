import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Checkup } from '../../src/protocol/checkup.ts'
import { Assembled } from './assembled.ts'
import type { Pushed } from '../system/rollUnderLoad.ts'
import { ask, pushTalker } from '../system/talker.ts'
import { Eyes, until } from '../system/watch.ts'

describe('machines of a pair', () => {
  let laptop: Assembled
  let eyes: Eyes
  const entry = (machine: string): string => laptop.entries[machine] ?? ''

  beforeAll(async () => {
    laptop = await Assembled.start()
    eyes = new Eyes(laptop)
    expect(await pushTalker(laptop, { name: 'web', version: '1', more: 'instances: 2' })).toMatchObject({ exit: 0 })
  })
  afterAll(() => laptop?.remove())

  it('keep a note for the next person until it is removed; a second line or an unknown machine is refused', async () => {
    const text = 'disk is replaced on Monday, ask Ida'
    expect(await laptop.json('machine', 'note', 'b', text)).toMatchObject({ exit: 0, machine: 'b', text })
    for (const command of ['machines', 'status']) {
      const { out } = await laptop.run(command)
      expect(out.join('\n')).toContain(`# b: ${text} (`)
    }
    expect(await laptop.json('machine', 'note', 'b')).toMatchObject({ exit: 0, notes: [{ machine: 'b', text }] })
    expect(await laptop.json('machine', 'note', 'b', 'two\nlines')).toMatchObject({ error: { code: 'E_USAGE' } })
    expect(await laptop.json('machine', 'note', 'c', text)).toMatchObject({ error: { code: 'E_NO_SUCH_MACHINE' } })
    expect(await laptop.json('machine', 'note', 'b', '--clear')).toMatchObject({ exit: 0, text: null })
    expect(await laptop.json('machine', 'note', 'b')).toMatchObject({ exit: 0, notes: [] })
  })

  it('are checked through the controller: their ports, clocks, agents and secrets are healthy', async () => {
    const told = await laptop.json<{ machines: Checkup[] }>('doctor', '--cluster')
    expect(told.machines.map(({ machine }) => machine)).toEqual(['(controller)', 'a', 'b'])
    for (const { checked } of told.machines.slice(1))
      expect(checked).toEqual(
        expect.arrayContaining(['report', 'clock', 'agent', 'ports', 'disk', 'limits', 'secrets']),
      )
    // Findings about this computer's disks and limits do not matter here.
    const ours = ['report', 'clock', 'agent', 'versions', 'ports', 'secrets', 'certificates']
    const found = told.machines.flatMap(({ findings }) => findings.filter(({ area }) => ours.includes(area)))
    expect(found).toEqual([])
  })

  it('are found to lack a program that a release requires, when it is gone', async () => {
    const tool = join(laptop.folder, 'tool')
    writeFileSync(tool, '#!/bin/sh\n', { mode: 0o755 })
    const definition = `service: user-of-tool\nrun: sleep 100000\nlisten: none\nhealth: { settle: 10ms }\nrequires: { commands: [${tool}] }\n`
    const service = laptop.service('user-of-tool', definition)
    expect(await laptop.json('push', service)).toMatchObject({ exit: 0 })
    const found = async (): Promise<string[]> => {
      const { machines } = await laptop.json<{ machines: Checkup[] }>('doctor', '--cluster')
      return machines.flatMap(({ findings }) => findings.flatMap((one) => (one.area === 'requires' ? one.what : [])))
    }
    expect(await found()).toEqual([])
    rmSync(tool)
    expect(await found()).toEqual(
      ['a', 'b'].map((one) => `machine ${one} lacks the program ${tool}, which user-of-tool requires`),
    )
    expect(await laptop.json('remove', 'user-of-tool')).toMatchObject({ exit: 0 })
  })

  it('start the published release unchanged, whatever an instance did to its files and to the cache', async () => {
    const cache = join(laptop.folder, 'data/a/cache')
    await until('a is healthy', async () => (await ask(entry('a'))).instance.includes('-a-'))
    const tried = JSON.parse((await ask(entry('a'), `/tamper?cache=${cache}`)).text) as string[]
    if (process.getuid?.() === 0) expect(tried.length).toBeGreaterThan(0)
    const { rollout } = await laptop.json<Pushed>('restart', 'web')
    expect(rollout).toMatchObject({ state: 'completed', reason: null })
    const { instances, release } = await eyes.service('web')
    expect(instances.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready', 'ready'])
    const folders = instances.map(({ pid }) => `/proc/${pid}/cwd`)
    for (const folder of folders) {
      expect(readFileSync(join(folder, 'marker.txt'), 'utf8')).toBe('as it was published')
      expect(existsSync(join(folder, 'more.txt'))).toBe(false)
    }
    expect(release).not.toBeNull()
    expect((await ask(entry('a'))).text).toBe('hello 1')
  })
})
