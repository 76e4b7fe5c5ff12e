import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromStored, type StoredEvent } from '../events/stored.ts'
import type { RecordedEvent } from '../events/event.ts'
import { sha256 } from '../lib/hash.ts'
import { randomRun } from '../lib/testing/randomRun.ts'
import { History, type Happening } from '../decider/testing/history.ts'
import { rooms } from '../decider/rooms.ts'
import { Fold } from './fold.ts'
import { foldVersion } from './foldVersion.ts'

const config = { cluster: 'test', laptop: true }

/** Recorded logs that contain every type of event. Add a new type at the end: lines are not changed once they are here. */
function recordedLogs(): RecordedEvent[][] {
  const text = readFileSync(new URL('testing/foldedLogs.ndjson', import.meta.url), 'utf8')
  const logs = new Map<number, RecordedEvent[]>()
  for (const line of text.trim().split('\n')) {
    const { log, data, ...event } = JSON.parse(line) as { log: number; data: unknown } & Omit<StoredEvent, 'data'>
    const all = logs.get(log) ?? []
    all.push(fromStored({ ...event, data: JSON.stringify(data) }))
    logs.set(log, all)
  }
  return [...logs.values()]
}

/** Paths of values that JSON does not keep: undefined, not finite, or not a plain object. */
function notInJson(value: unknown, path: string): string[] {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return []
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [path]
  if (Array.isArray(value)) return value.flatMap((one, index) => notInJson(one, `${path}[${index}]`))
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return [path]
  return Object.entries(value).flatMap(([key, one]) => notInJson(one, `${path}.${key}`))
}

function folded(events: readonly RecordedEvent[]): Fold {
  const fold = new Fold(config)
  for (const event of events) fold.fold(event)
  return fold
}

/** Throws unless a snapshot at any position, with the rest of the log, gives the fold of the whole log. */
function checkSnapshots(log: readonly RecordedEvent[]): void {
  const whole = folded(log)
  const fold = new Fold(config)
  for (const event of [null, ...log]) {
    if (event) fold.fold(event)
    const again = new Fold(config, fold.snapshot())
    for (const later of log) if (later.position > fold.state.position) again.fold(later)
    const where = `with the snapshot at ${fold.state.position}`
    if (!isDeepStrictEqual(again.state, whole.state)) throw new Error(`another state ${where}`)
    if (again.snapshot() !== whole.snapshot()) throw new Error(`another fold ${where}`)
    const lost = notInJson(fold.state, 'state')
    if (lost.length > 0) throw new Error(`JSON does not keep ${lost.join(', ')} ${where}`)
  }
}

describe('a snapshot of the fold', () => {
  it('with the rest of the log gives the fold of the whole log, at each position of the recorded logs', () => {
    for (const log of recordedLogs()) expect(() => checkSnapshots(log)).not.toThrow()
  })

  const { seed, count: numRuns } = randomRun('snapshots', { check: 60, soak: 3_000 })
  const number = fc.nat({ max: 119 })
  const happening = fc.tuple(fc.nat({ max: 22 }), fc.nat({ max: 29 }), number, number) as fc.Arbitrary<Happening>
  it(`and of random histories (${numRuns} of them, TANDEM_SEED=${seed})`, () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.nat({ max: 2 }),
      fc.array(happening, { minLength: 3, maxLength: 16 }),
      (machines, services, happenings) => {
        const history = new History(machines, isDeepStrictEqual)
        history.begin(services)
        for (const one of happenings) history.happens(one)
        checkSnapshots(history.world.log)
      },
    )
    const result = fc.check(property, { seed, numRuns, endOnFailure: false })
    expect(result.failed, `${fc.defaultReportMessage(result)}\n${String(result.errorInstance)}`).toBe(false)
  }, 3_600_000)

  it('takes the configuration of the running controller, not the kept one', () => {
    const [log = []] = recordedLogs()
    expect(new Fold({ cluster: 'other', laptop: false }, folded(log).snapshot()).state.config).toEqual({
      ...{ cluster: 'other', laptop: false },
    })
  })

  it('has another version when the fold gives another state', () => {
    const logs = recordedLogs()
    const recorded = new Set<string>(logs.flat().map(({ type }) => type))
    const folded = rooms.flatMap(({ folds }) => Object.keys(folds))
    expect(folded.filter((type) => !recorded.has(type))).toEqual([])
    const texts: string[] = []
    for (const log of logs) {
      const fold = new Fold(config)
      for (const event of log) {
        fold.fold(event)
        texts.push(fold.snapshot())
      }
    }
    // The fold gives another state than before: write the new version into foldVersion.ts.
    expect(foldVersion).toBe(sha256(texts.join('\n')).slice(0, 16))
  })
})
