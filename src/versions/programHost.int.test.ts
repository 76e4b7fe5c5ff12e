import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { RootProgramHost } from './programHost.ts'
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
  return { host, helpers, state, files: new TrialFiles(data) }
}

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
