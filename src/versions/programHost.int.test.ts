import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { RootProgramHost, TrialHost } from './programHost.ts'
import { TrialFiles } from './trialFiles.ts'
import type { UnitControl } from '../systemd/unitControl.ts'

const asked = { key: 'u/forward', release: 'ab'.repeat(32), version: '0.2.0', isDue: true }

async function lab() {
  const parent = join(import.meta.dirname, '../../tmp')
  mkdirSync(parent, { recursive: true })
  const data = mkdtempSync(join(parent, 'host-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const helpers: string[] = []
  const state = { isAlive: false, isCutOff: false }
  const units: UnitControl = {
    ...{ useCommand: async () => {}, command: () => null, installedCommand: () => null, kill: async () => {} },
    ...{ restart: async () => {}, said: async () => '' },
    ...{ life: async () => ({ mainPid: 1, restarts: 0 }), removeHelper: async () => {}, endHelper: async () => {} },
    isAlive: async () => state.isAlive,
    startHelper: async (unit) => {
      if (state.isCutOff) throw new Error('killed')
      helpers.push(unit)
    },
  }
  const own = { folder: '/opt/tandem', node: '/opt/tandem/bin/node', options: [], words: ['agent', 'run'] }
  const host = await RootProgramHost.open({ data, unit: 'part.service', own, units })
  return { data, host, units, helpers, state, files: new TrialFiles(data) }
}

/** Three programs with their flags; `before` is of a version that does not name them. */
async function flagged(flags: { own: string[]; next: string[] }) {
  const { data, units, files } = await lab()
  const ids = { own: 'a'.repeat(64), next: 'b'.repeat(64), before: 'c'.repeat(64) }
  const folderOf = (id: string): string => join(data, 'program/releases', id)
  for (const [name, id] of Object.entries(ids)) {
    mkdirSync(folderOf(id), { recursive: true })
    const partFlags = name === 'before' ? undefined : flags[name as keyof typeof flags] // the other two
    writeFileSync(join(folderOf(id), 'package.json'), JSON.stringify({ version: name, partFlags }))
  }
  const options = ['--disable-warning=ExperimentalWarning', ...flags.own]
  const own = { folder: folderOf(ids.own), node: 'node', options, words: ['agent', 'run'] }
  const begin = (name: keyof typeof ids): Promise<void> =>
    new TrialHost({ data, unit: 'part.service', own, units }, files).begin({ key: `u/${name}`, release: ids[name] })
  return { files, begin }
}

it('a program is tried with the memory flags of its own, and a return to an older one with those of before', async () => {
  const { files, begin } = await flagged({
    own: ['--expose-gc', '--max-semi-space-size=8'],
    next: ['--max-old-space-size=64'],
  })
  await begin('next')
  expect(files.trial?.to?.slice(1, -3)).toEqual(['--disable-warning=ExperimentalWarning', '--max-old-space-size=64'])
  await begin('before')
  const before = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2', '--expose-gc']
  expect(files.trial?.to?.slice(1, -3)).toEqual(before)
})

it('a trial that was cut off before its unit ran is resumed, once', async () => {
  const { host, helpers, state, files } = await lab()
  await host.resume()
  expect(helpers).toEqual([])
  state.isCutOff = true
  await expect(host.begin(asked)).rejects.toThrow('killed')
  expect([files.trial?.key, helpers]).toEqual([asked.key, []])
  state.isCutOff = false
  await host.resume()
  expect(helpers).toEqual(['part-trial.service'])
  state.isAlive = true
  await host.resume()
  expect(helpers).toEqual(['part-trial.service'])
})
