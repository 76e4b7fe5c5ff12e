import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { TestClock } from '../lib/testing/testClock.ts'
import { commandIn, type OwnProgram } from './ownProgram.ts'
import { startProgress } from './startProgress.ts'
import { TrialFiles } from './trialFiles.ts'

function lab() {
  const parent = join(import.meta.dirname, '../../tmp')
  mkdirSync(parent, { recursive: true })
  const data = mkdtempSync(join(parent, 'progress-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const own = (id: string): OwnProgram => ({
    ...{
      folder: join(data, 'program/releases', id.repeat(64)),
      node: 'node',
      options: [],
      words: ['controller', 'run'],
    },
  })
  return { data, own, clock: new TestClock() }
}

it('of a program on trial is seen by the trial, at most once a second', () => {
  const { data, own, clock } = lab()
  const files = new TrialFiles(data)
  const to = commandIn(own('b').folder, own('b'))
  files.begin({ key: 'u/forward', unit: 'part.service', to, from: null, withinMs: 1_000 })
  const progress = startProgress(data, own('b'), clock)
  const seen = ['1', '2', '3'].map((done) => {
    progress(done)
    clock.pass(600)
    return files.progress
  })
  expect(seen).toEqual(['u/forward 1\n', 'u/forward 1\n', 'u/forward 3\n'])
})

it('of another program, or without a trial, is not', () => {
  const { data, own, clock } = lab()
  startProgress(data, own('b'), clock)('1')
  const files = new TrialFiles(data)
  startProgress(data, own('b'), clock)('1')
  const to = commandIn(own('b').folder, own('b'))
  files.begin({ key: 'u/forward', unit: 'part.service', to, from: null, withinMs: 1_000 })
  startProgress(data, own('a'), clock)('1')
  expect(files.progress).toBe('')
})

it('of a program that may not write beside the programs is seen by the trial too', () => {
  const { data, own, clock } = lab()
  const files = new TrialFiles(data)
  const to = commandIn(own('b').folder, own('b'))
  files.begin({ key: 'u/forward', unit: 'part.service', to, from: null, withinMs: 1_000 })
  mkdirSync(join(data, 'program/progress.txt')) // also keeps root from writing there
  startProgress(data, own('b'), clock)('1')
  expect([files.progress, readFileSync(join(data, 'progress.txt'), 'utf8')]).toEqual(['u/forward 1\n', 'u/forward 1\n'])
})
