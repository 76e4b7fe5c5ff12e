import { expect, it } from 'vitest'
import { operations } from './contract.ts'

/** Calls of operators without a dry run: they carry bytes or values of secrets, open a channel, or make and revoke tokens, which are not in the log. */
const undecided = [
  'createToken',
  'inviteMachine',
  'missingObjects',
  'openAccess',
  'openCommand',
  'openConnection',
  'openForward',
  'publishRelease',
  'putSecret',
  'rekeySecrets',
  'revokeToken',
  'rollbackSecret',
  'sealSecrets',
  'unsealSecrets',
]

it('every call of an operator that a room decides can be a dry run', () => {
  const changing = Object.entries(operations).filter(
    ([, { method, role }]) => method === 'POST' && ['operator', 'agentOrOperator'].includes(role),
  )
  const without = changing.filter(([, operation]) => !('dryRun' in operation)).map(([name]) => name)
  expect(without.toSorted()).toEqual(undecided)
})
