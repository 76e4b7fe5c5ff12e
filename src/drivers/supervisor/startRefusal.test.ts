import { expect, it } from 'vitest'
import { OperatorError } from '../../lib/operatorError.ts'
import { whyNotStarted } from './startRefusal.ts'

const refused = (message: string, about: { subject?: string; next?: string }): string =>
  whyNotStarted(new OperatorError('E_EXEC', message, about))

it('names the subject once, and leaves out a next step that does not exist', () => {
  expect(refused('the program does not exist', { subject: '/r/server', next: 'check `run`' })).toBe(
    'the program does not exist (/r/server); check `run`',
  )
  expect(refused('no program "migrate" in PATH', { subject: 'migrate', next: 'install it' })).toBe(
    'no program "migrate" in PATH; install it',
  )
  expect(refused('the command is empty', {})).toBe('the command is empty')
})
