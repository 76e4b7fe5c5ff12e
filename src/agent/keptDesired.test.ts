import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { AgentDisk } from './agentDisk.ts'
import { upcastDesired } from './keptDesired.ts'
import { aDesiredState } from './testing/given.ts'

function disk(): AgentDisk {
  const parent = join(import.meta.dirname, '../../tmp')
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'kept-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return new AgentDisk(folder)
}

it('reads a file from before there was a format number, and one with fields of a newer version', () => {
  const here = disk()
  const { program: _, ...old } = aDesiredState()
  writeFileSync(join(here.folder, 'desired.json'), JSON.stringify(old))
  expect(here.readDesired()).toEqual(aDesiredState())
  writeFileSync(join(here.folder, 'desired.json'), JSON.stringify({ ...aDesiredState(), format: 2, weather: 'fine' }))
  expect(here.readDesired()).toEqual(aDesiredState())
})

it('reads the file it wrote', () => {
  const here = disk()
  here.writeDesired(aDesiredState({ position: 77 }))
  expect(here.readDesired()).toEqual(aDesiredState({ position: 77 }))
})

it('converts each old format step by step, and refuses one without an upcaster', () => {
  const known = { 0: (kept: object) => ({ ...kept, one: true }), 1: (kept: object) => ({ ...kept, two: true }) }
  expect(upcastDesired({ a: 1 }, known, 2)).toEqual({ a: 1, one: true, two: true })
  expect(upcastDesired({ a: 1, format: 1 }, known, 2)).toEqual({ a: 1, format: 1, two: true })
  expect(() => upcastDesired({}, {}, 1)).toThrow('no upcaster')
})
