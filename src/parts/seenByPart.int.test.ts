import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { OperatorError } from '../lib/operatorError.ts'
import { mustBeSeen } from './seenByPart.ts'

const agent = { part: 'agent', again: 'join again' } as const

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-seen-'))
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'closed'), { mode: 0o750 })
  for (const name of ['tandem', 'closed/tandem']) writeFileSync(join(folder, name), '', { mode: 0o644 })
  writeFileSync(join(folder, 'secret'), '', { mode: 0o640 })
})
afterAll(() => rmSync(folder, { recursive: true }))

it('accepts a program that every user can read, and words that name no file', () => {
  expect(() => mustBeSeen([join(folder, 'tandem'), '--expose-gc', 'agent'], agent)).not.toThrow()
})

it.each([
  ['closed/tandem', /cannot read .*closed\/tandem: other users have no access to .*\/closed \(mode 0750\)$/],
  ['secret', /other users have no access to .*secret \(mode 0640\)$/],
])('%s is refused, with a next step', (name, message) => {
  const refused = (): void => mustBeSeen(['--flag', join(folder, name)], agent)
  expect(refused).toThrow(message)
  expect(refused).toThrow(OperatorError)
})

it.each(['/root/tandem/bin/node', '/home/me/tandem', '/root'])('%s is refused, because the unit hides it', (path) => {
  expect(() => mustBeSeen([path], agent)).toThrow(`cannot read ${path}: systemd hides /`)
})
