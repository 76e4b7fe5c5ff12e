import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, it, onTestFinished } from 'vitest'
import type { Observed } from '../../decision/observed.ts'
import { VirtualClock } from '../../lib/testing/virtualClock.ts'
import { aReport } from '../../protocol/testing/aReport.ts'
import { CallCounter } from './callCounter.ts'
import { callsIn } from './callCounts.ts'

function given() {
  const folder = mkdtempSync(join(tmpdir(), 'calls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const clock = new VirtualClock()
  const observed: Record<string, Observed[string]> = {}
  const listeners = new Set<() => void>()
  const onDecision = (listener: () => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const controller = { clock, now: () => clock.now(), observed, onDecision }
  const open = (): CallCounter => new CallCounter({ controller, logger: pino({ level: 'silent' }), folder })
  const reports = (seen: number): void => {
    const calls = [{ from: 'shop', to: 'db', port: 1, seen, refused: 0 }]
    const report = aReport({ firewall: { state: 'observing', why: null, calls } })
    observed['a'] = { report, at: clock.now(), clock: 0 }
    listeners.forEach((listener) => listener())
  }
  return { folder, open, reports }
}

it('counts on after a restart of the controller, from the sums that it knew', () => {
  const { open, reports } = given()
  const first = open()
  reports(3)
  reports(5)
  first.close()
  const second = open()
  reports(6)
  expect(callsIn(second.counts)[0]?.seen?.count).toBe(6)
  second.close()
})

it('begins again if its file is damaged', () => {
  const { folder, open, reports } = given()
  writeFileSync(join(folder, 'calls.json'), '{')
  const counter = open()
  reports(2)
  expect(callsIn(counter.counts)[0]?.seen?.count).toBe(2)
  counter.close()
})
