import { expect, it } from 'vitest'
import { parseDefinition } from '../../definitions/parseDefinition.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { asOperatorError } from '../../lib/asOperatorError.ts'
import { paintFor, plain, withColours } from '../paint.ts'
import { renderError } from './error.ts'

it('shows message, code, subject and next step', () => {
  const error = new OperatorError('E_DATA_LOCKED', 'another tandem up uses it', {
    subject: '/data',
    next: 'end that one',
  })
  expect(renderError(error, plain)).toBe(
    'error: another tandem up uses it (E_DATA_LOCKED)\n  on    /data\n  next  end that one',
  )
})

it('does not name the subject twice', () => {
  const error = new OperatorError('E_NO_SUCH_SERVICE', 'there is no service shop', { subject: 'shop' })
  expect(renderError(error, plain)).toBe('error: there is no service shop (E_NO_SUCH_SERVICE)')
})

it('names a subject that the message holds only as part of a word', () => {
  const error = new OperatorError('E_RELEASE_CONTENT', 'a device cannot be part of a release', { subject: 'dev' })
  expect(renderError(error, plain)).toContain('\n  on    dev')
})

it('shows every problem of a definition with its line', () => {
  const parse = (): unknown => parseDefinition('service: shop\nrnu: x\n', 'tandem.yaml')
  let text = ''
  try {
    parse()
  } catch (error) {
    text = renderError(asOperatorError(error), plain)
  }
  expect(text).toContain('  2 | rnu: x\n      ^')
  expect(text).toContain('error: the definition has the problem above; nothing was changed (E_DEFINITION)\n  next  ')
})

it('distinguishes a fault of the environment from a bug', () => {
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', path: '/data/x' })
  const wrapped = asOperatorError(new Error('cannot write the log', { cause: full }))
  expect(wrapped.body()).toEqual({
    ...{ code: 'E_ENVIRONMENT', message: 'cannot write the log: ENOSPC: no space left', subject: '/data/x' },
    next: 'the disk is full: free some space',
  })
  const bug = asOperatorError(new TypeError('x is not a function'))
  expect([bug.code, bug.exitCode]).toEqual(['E_BUG', 70])
  expect(renderError(bug, plain)).toContain('error.test.ts')
})

it('is coloured only on a terminal with colours, and not with NO_COLOR', () => {
  const terminal = Object.assign(Object.create(process.stderr) as NodeJS.WriteStream, { isTTY: true })
  expect(withColours(paintFor(terminal, { TERM: 'xterm' })('red', 'x'))).toBe('\u001B[31mx\u001B[39m')
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) expect(paintFor(terminal, env)('red', 'x')).toBe('x')
  const pipe = Object.assign(Object.create(process.stderr) as NodeJS.WriteStream, { isTTY: false })
  expect(paintFor(pipe, { TERM: 'xterm' })('red', 'x')).toBe('x')
})
