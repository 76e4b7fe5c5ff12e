import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { randomRun } from '../lib/testing/randomRun.ts'
import { TestClock } from '../lib/testing/testClock.ts'
import type { UnitControl } from '../systemd/unitControl.ts'
import { FakePartsHost } from '../parts/testing/fakePartsHost.ts'
import { PartsChange } from '../parts/partsChange.ts'
import { PartsFiles } from '../parts/partsFiles.ts'
import { runTrial } from './runTrial.ts'
import { TrialFiles } from './trialFiles.ts'

const [unit, helper, beside] = ['part.service', 'part-trial.service', 'beside.service']
const key = 'u/forward'

/** The part of systemd that a trial sees; `killAt` counts calls down to the call that never returns to its caller. */
class FakeUnits implements UnitControl {
  uses: string[] | null = ['old']
  runs: string[] | null = ['old']
  besides: string[] | null = ['old', 'too']
  ended: [string, string[] | null][] = []
  helpers = new Set([helper])
  restarts = 0
  killAt = Number.POSITIVE_INFINITY
  killed = Promise.withResolvers<boolean>()
  /** Called when a program was started. */
  started: (argv: readonly string[] | null) => void = () => {}
  looked: () => void = () => {}

  async useCommand(name: string, argv: readonly string[] | null): Promise<void> {
    await this.#call(() => {
      if (name === beside) this.besides = argv && [...argv]
      else this.uses = argv && [...argv]
    })
  }
  command(): string[] | null {
    return this.uses
  }
  async restart(): Promise<void> {
    await this.#call(() => {
      this.runs = this.uses
      this.restarts = 0
      this.started(this.runs)
    })
  }
  async life(): Promise<{ mainPid: number; restarts: number }> {
    this.looked()
    await this.#call(() => {})
    return { mainPid: 1, restarts: this.restarts }
  }
  installedCommand(): string[] | null {
    return ['installed']
  }
  async kill(name: string): Promise<void> {
    await this.#call(() => this.ended.push([name, this.besides]))
  }
  async isAlive(name: string): Promise<boolean> {
    return this.helpers.has(name)
  }
  async said(): Promise<string> {
    return 'its last words'
  }
  async startHelper(): Promise<void> {}
  async removeHelper(name: string): Promise<void> {
    await this.#call(() => this.helpers.delete(name))
  }

  async endHelper(name: string): Promise<void> {
    await this.#call(() => this.helpers.delete(name))
  }

  /** A kill comes before the effect or after it; the killed caller never sees the result. */
  async #call(effect: () => void): Promise<void> {
    this.killAt--
    if (this.killAt !== 0) effect()
    if (this.killAt === 0 || this.killAt === -0.5) {
      this.killed.resolve(true)
      await new Promise(() => {})
    }
  }
}

function lab(): { files: TrialFiles; units: FakeUnits; clock: TestClock; run: () => Promise<void> } {
  const parent = join(import.meta.dirname, '../../tmp')
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'trial-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [files, units, clock] = [new TrialFiles(folder), new FakeUnits(), new TestClock()]
  const change = new PartsChange({
    files: new PartsFiles(folder),
    host: new FakePartsHost(),
    unit,
    alsoTried: [beside],
  })
  const [partsHelper, around] = ['part-parts.service', { files, units, change, clock, helper }]
  files.begin({ key, unit, to: ['new'], from: ['old'], withinMs: 1_000 })
  return { files, units, clock, run: () => runTrial({ ...around, partsHelper }) }
}

describe('a trial', () => {
  it('keeps the new program once it has confirmed that it works', async () => {
    const { files, units, run } = lab()
    units.started = () => files.confirm(key)
    await run()
    expect(units).toMatchObject({ uses: ['new'], runs: ['new'] })
    expect([files.trial, files.failed, [...units.helpers]]).toEqual([null, null, []])
  })

  it('goes back when the new program ends repeatedly, with its last output as the reason', async () => {
    const { files, units, run } = lab()
    units.looked = () => units.restarts++
    await run()
    expect(units).toMatchObject({ uses: ['old'], runs: ['old'] })
    expect(files.failed).toEqual({ key, reason: 'the new program exits at its start: its last words' })
    expect([files.trial, [...units.helpers]]).toEqual([null, []])
  })

  it('goes back when time is up', async () => {
    const { files, units, clock, run } = lab()
    units.looked = () => clock.pass(2_000)
    await run()
    expect(units.runs).toEqual(['old'])
    expect(files.failed?.reason).toBe(
      'the new program did not confirm that it works: no progress for 1 s: its last words',
    )
  })

  it('waits for a slow start while it goes on, many times longer than for a start that stands still', async () => {
    const { files, units, clock, run } = lab()
    let looks = 0
    units.looked = () => {
      clock.pass(900)
      files.progressed(`${++looks}`)
      if (looks === 20) files.confirm(key)
    }
    await run()
    expect(units.runs).toEqual(['new'])
    expect(files.failed).toBeNull()
  })

  it('goes back when a program stops making progress, and when it makes progress for ever', async () => {
    for (const [lastLook, why] of [
      [4, 'no progress for 600 s'],
      [Number.POSITIVE_INFINITY, 'its start took longer than 60 min'],
    ] as const) {
      const { files, units, clock, run } = lab()
      files.begin({ key, unit, to: ['new'], from: ['old'], withinMs: 600_000 })
      let looks = 0
      units.looked = () => {
        clock.pass(500_000)
        if (++looks <= lastLook) files.progressed(`${looks}`)
      }
      await run()
      expect(units.runs).toEqual(['old'])
      expect(files.failed?.reason).toBe(`the new program did not confirm that it works: ${why}: its last words`)
    }
  })

  it('gives the reason why the units of the new version could not be made', async () => {
    const { files, units, clock, run } = lab()
    units.looked = () => {
      units.helpers.add('part-parts.service')
      clock.pass(2_000)
    }
    await run()
    expect(files.failed?.reason).toMatch(/its last words; part-parts\.service: its last words$/)
    expect([...units.helpers]).toEqual([])
  })

  it('goes back when a systemd command fails', async () => {
    const { files, units, run } = lab()
    units.started = (argv) => {
      if (argv?.[0] === 'new') throw new Error('Job for part.service failed')
    }
    await run()
    expect(units).toMatchObject({ uses: ['old'], runs: ['old'] })
    expect(files.failed?.reason).toContain('Job for part.service failed')
  })

  it('keeps the former program when the new one answers too late', async () => {
    const { files, units, run } = lab()
    files.fail({ key, reason: 'time is up' })
    files.confirm(key)
    await run()
    expect(units).toMatchObject({ uses: ['old'], runs: ['old'] })
  })

  it('changes the accompanying unit first, in both directions', async () => {
    const { files, units, run } = lab()
    const also = { unit: beside, to: ['new', 'too'], from: ['old', 'too'] }
    files.begin({ key, unit, to: ['new'], from: ['old'], withinMs: 1_000, also })
    const seen: (string[] | null)[] = []
    units.started = () => void seen.push(units.besides)
    units.looked = () => units.restarts++
    await run()
    expect(seen).toEqual([also.to, also.from])
    expect(units.ended).toEqual([
      [beside, also.to],
      [beside, also.from],
    ])
  })

  it('does nothing without a trial file', async () => {
    const { files, units, run } = lab()
    files.end()
    await run()
    expect(units).toMatchObject({ uses: ['old'], runs: ['old'] })
    expect([...units.helpers]).toEqual([])
  })

  const moments = 24
  const { seed, count: kills } = randomRun('trial_kills', { check: moments, soak: moments })
  const stride = Math.ceil(moments / kills)
  for (const outcome of ['works', 'crashes'] as const) {
    it(`killed at any moment and restarted, ends the same as without a kill: a program that ${outcome}`, async () => {
      for (let moment = 0.5 + (seed % stride) / 2; moment <= moments / 2; moment += stride / 2) {
        const { files, units, run } = lab()
        if (outcome === 'works') units.started = (argv) => void (argv?.[0] === 'new' && files.confirm(key))
        else units.looked = () => units.restarts++
        units.killAt = moment
        const isDead = await Promise.race([units.killed.promise, run().then(() => false)])
        units.killAt = Number.POSITIVE_INFINITY
        // systemd restarts the trial only while its unit exists.
        if (isDead && units.helpers.size > 0) await run()
        const end = outcome === 'works' ? ['new'] : ['old']
        expect([moment, units.uses, units.runs, files.trial, [...units.helpers]]).toEqual([moment, end, end, null, []])
      }
    })
  }
})
