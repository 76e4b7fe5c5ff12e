import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import type { Installation } from '../parts/parts.ts'
import { PartsChange } from '../parts/partsChange.ts'
import { PartsFiles } from '../parts/partsFiles.ts'
import { FakePartsHost } from '../parts/testing/fakePartsHost.ts'
import type { UnitControl } from '../systemd/unitControl.ts'
import { changeParts } from './changeParts.ts'
import { TrialFiles } from './trialFiles.ts'

const unit = 'tandem-agent.service'
const beside = 'tandem-privileged.service'
const helper = 'tandem-agent-parts.service'
const key = 'u1/forward'
const release = 'ab'.repeat(32)
const folder = `/var/lib/tandem/program/releases/${release}`
const own = { folder, node: `${folder}/bin/node`, options: [], words: [] }
const installed = { id: 'installed', version: null }
const newer = { id: release, version: '2' }
const ofRoot = { owner: 'root', group: 'root' }

/** A new version: other texts, a part more, a part less. */
const wanted: Installation = {
  users: ['tandem', 'collector'],
  groups: ['readers'],
  folders: [
    { path: '/data', mode: 0o755, ...ofRoot },
    { path: '/collected', mode: 0o750, owner: 'collector', group: 'readers' },
  ],
  units: [
    { name: 'collector.service', text: 'collects', isEnabled: true, words: ['collect'] },
    { name: beside, text: 'helper, new', isEnabled: false, words: ['agent', 'privileged'] },
    { name: unit, text: 'agent, new', isEnabled: true, words: ['agent', 'run'] },
  ],
}

function lab(program = own) {
  const parent = join(import.meta.dirname, '../../tmp')
  mkdirSync(parent, { recursive: true })
  const data = mkdtempSync(join(parent, 'change-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const [files, parts, host] = [new TrialFiles(data), new PartsFiles(data), new FakePartsHost()]
  host.users.add('tandem')
  host.folders.set('/data', { mode: 0o1771, uid: 0, gid: 6, owner: 'root', group: 'tandem' })
  for (const [name, text, isEnabled] of [
    [unit, 'agent', true],
    [beside, 'helper', false],
    ['former.service', 'former', true],
  ] as const) {
    host.units.set(name, { text, isEnabled, command: null })
    if (isEnabled) host.running.set(name, text)
  }
  parts.record = {
    version: '1',
    digest: 'old',
    program: 'installed',
    users: ['tandem'],
    groups: [],
    folders: ['/data'],
    units: ['former.service', beside, unit],
  }
  const set = { command: [join(folder, 'lib/main.js')] as string[] | null }
  const helpers = new Set([helper])
  const units: UnitControl = {
    ...{ useCommand: async () => {}, installedCommand: () => null, kill: async () => {}, said: async () => '' },
    ...{ life: async () => ({ mainPid: 1, restarts: 0 }), isAlive: async () => true, startHelper: async () => {} },
    restart: (name) => host.takeUp(name),
    command: () => set.command,
    removeHelper: async (name) => void helpers.delete(name),
    endHelper: async (name) => void helpers.delete(name),
  }
  files.begin({ key, unit, to: set.command, from: null, withinMs: 30_000 })
  const change = new PartsChange({ files: parts, host, unit, alsoTried: [beside] })
  const run = (): Promise<void> =>
    changeParts({
      ...{ files, change, units, unit, own: program, version: '2', digest: 'new', describe: async () => wanted },
      command: (words) => [join(folder, 'lib/main.js'), ...words],
      ...{ clock: systemClock, random: () => 0.5, log: () => {}, helper },
    })
  /** The trial ends when the new parts are taken up. */
  const trialEnds = (how: 'works' | 'fails'): void => {
    host.tookUp = (name) => {
      if (name !== unit || parts.record?.digest !== 'new') return
      if (how === 'works') files.confirm(key)
      else files.fail({ key, reason: 'broken' })
      if (how === 'fails') set.command = null
      files.end()
    }
  }
  return { files, parts, host, helpers, set, run, trialEnds, change }
}

describe('a change of the parts', () => {
  it('sets up what the new version describes, and starts every changed unit, the part itself last', async () => {
    const { host, run, trialEnds, helpers, parts } = lab()
    trialEnds('works')
    await run()
    expect(host.state).toEqual({
      units: [
        ['collector.service', { text: 'collects', isEnabled: true, command: [join(folder, 'lib/main.js'), 'collect'] }],
        [unit, { text: 'agent, new', isEnabled: true, command: null }],
        [beside, { text: 'helper, new', isEnabled: false, command: null }],
      ],
      users: ['collector', 'tandem'],
      groups: ['readers'],
      folders: [
        ['/collected', { mode: 0o750, uid: 9, gid: 7, owner: 'collector', group: 'readers' }],
        ['/data', { mode: 0o755, uid: 0, gid: 0, ...ofRoot }],
      ],
    })
    expect(Object.fromEntries(host.running)).toEqual({ 'collector.service': 'collects', [unit]: 'agent, new' })
    expect(host.takenUp).toEqual(['collector.service', beside, unit])
    expect([parts.change, parts.record?.digest, [...helpers]]).toEqual([null, 'new', []])
  })

  it('leaves everything exactly as it was if the trial fails', async () => {
    const { host, run, trialEnds, parts } = lab()
    const before = structuredClone(host.state)
    trialEnds('fails')
    await run()
    expect(host.state).toEqual(before)
    expect(Object.fromEntries(host.running)).toEqual({ 'former.service': 'former', [unit]: 'agent' })
    expect([parts.change, parts.record?.digest]).toEqual([null, 'old'])
  })

  it.each(['works', 'fails'] as const)(
    'killed at any moment and restarted, ends the same: a version that %s',
    async (how) => {
      const whole = lab()
      whole.trialEnds(how)
      await whole.run()
      for (let moment = 0.5; moment < 40; moment += 0.5) {
        const { host, run, trialEnds, parts, helpers } = lab()
        trialEnds(how)
        host.killAt = moment
        const isDead = await Promise.race([host.killed.promise.then(() => true), run().then(() => false)])
        host.killAt = Number.POSITIVE_INFINITY
        if (isDead && helpers.size > 0) await run()
        expect([moment, host.state, Object.fromEntries(host.running)]).toEqual([
          moment,
          whole.host.state,
          Object.fromEntries(whole.host.running),
        ])
        expect([moment, parts.change, parts.record, [...helpers]]).toEqual([moment, null, whole.parts.record, []])
      }
    },
  )

  it('begins nothing for a program that has gone back meanwhile', async () => {
    for (const isFailed of [true, false]) {
      const { host, run, files, set } = lab()
      const before = structuredClone(host.state)
      if (isFailed) files.fail({ key, reason: 'broken' })
      else {
        files.end()
        set.command = null
      }
      await run()
      expect(host.state).toEqual(before)
    }
  })

  it('without a trial keeps the new parts; a return is possible unless the program was replaced', async () => {
    for (const isReplaced of [true, false]) {
      const { host, run, files, parts, set } = lab(isReplaced ? { ...own, folder: '/usr/lib/tandem' } : own)
      files.end()
      if (isReplaced) set.command = null
      await run()
      expect(host.running.get(unit)).toBe('agent, new')
      expect([parts.change, parts.record?.digest]).toEqual([null, 'new'])
      expect(parts.saved(installed)?.state.record?.digest).toBe(isReplaced ? undefined : 'old')
    }
  })

  it('a return to the former program makes its parts again; data stays unless the upgrade itself returns', async () => {
    for (const [back, stays] of [
      ['u1/back', false],
      ['u2/forward', true],
    ] as const) {
      const { host, run, trialEnds, change, parts } = lab()
      const before = structuredClone(host.state) as { users: string[] }
      trialEnds('works')
      await run()
      host.filled.add('/collected')
      expect(await change.goBackTo(installed, { key: back, from: newer, base: installed })).toBe(true)
      // Until the return is final, it may be undone: the new version's user and folder are still there.
      expect(host.users.has('collector')).toBe(true)
      expect(host.units.get(unit)?.text).toBe('agent')
      await change.keep()
      const kept = { users: ['collector', 'tandem'], groups: ['readers'] }
      expect(host.state).toEqual(stays ? { ...before, ...kept, folders: expect.anything() } : before)
      expect(host.folders.has('/collected')).toBe(stays)
      expect([parts.record?.digest, parts.change]).toEqual(['old', null])
      // And forward again: those of the new version are known.
      expect(parts.saved(newer)?.state.record?.digest).toBe('new')
    }
  })

  it('a return that fails is undone', async () => {
    const { host, run, trialEnds, change } = lab()
    trialEnds('works')
    await run()
    const after = structuredClone(host.state)
    await change.goBackTo(installed, { key: 'u2/back', from: newer, base: installed })
    await change.undo({ restarts: true })
    expect(host.state).toEqual(after)
  })
})
