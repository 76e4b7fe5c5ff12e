import { expect, it } from 'vitest'
import { asOperatorError } from '../lib/asOperatorError.ts'
import { AgentDisk } from './agentDisk.ts'

const failing = (error: Error): AgentDisk => {
  const read = (): never => {
    throw error
  }
  return new AgentDisk('/var/lib/tandem', {
    read,
    write: () => {},
    replace: () => {},
    append: () => {},
    lines: () => [],
  })
}
const said = (disk: AgentDisk): unknown => {
  try {
    return disk.readDesired()
  } catch (error) {
    return asOperatorError(error)
  }
}

it('a file that the agent may not open is not taken for a damaged one', () => {
  const about = { code: 'EACCES', syscall: 'open', path: '/var/lib/tandem/desired.json' }
  const error = Object.assign(new Error("EACCES: permission denied, open '/var/lib/tandem/desired.json'"), about)
  expect(said(failing(error))).toMatchObject({
    code: 'E_ENVIRONMENT',
    message: expect.stringContaining('permission denied'),
    next: 'check the permissions of that file or folder',
  })
})

it('a file that is no JSON is damaged', () => {
  expect(said(failing(new SyntaxError('Unexpected end of JSON input')))).toMatchObject({
    code: 'E_ENVIRONMENT',
    message: expect.stringContaining('it is damaged or has an unknown format'),
  })
})
