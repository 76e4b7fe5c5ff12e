import { expect, it } from 'vitest'
import { isProgram, withGlobalFlagsBehind } from './commandLine.ts'

it.each([
  ['status', 'status'],
  ['--json status', 'status --json'],
  ['--context prod --json push dir', 'push dir --context prod --json'],
  ['--context=prod run shop -- ls --json', 'run shop --context=prod -- ls --json'],
  ['--help', '--help'],
])('%s', (typed, read) => expect(withGlobalFlagsBehind(typed.split(' ')).join(' ')).toBe(read))

it('knows which commands handle signals themselves', () => {
  expect(isProgram(['agent', 'run', '--machine', 'a'])).toBe(true)
  expect(isProgram(['controller', 'token', 'list'])).toBe(false)
})
