import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { errorCodes } from './errorCodes.ts'
import { OperatorError } from './operatorError.ts'

it('docs/errors.md lists the same codes, exit and HTTP statuses and meanings, each with a next step', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `(E_\w+)` +\| (\d+) +\| (\d+) +\| (.*?) +\| (.*?) +\|$/gm)]
  const documented = rows.map(([, code, exit, status, means]) => [code, Number(exit), Number(status), means])
  expect(documented).toEqual(
    Object.entries(errorCodes).map(([code, { exit, status, means }]) => [code, exit, status, means]),
  )
  for (const [, code, , , , next] of rows) expect(next?.length, code).toBeGreaterThan(10)
})

it('gives an error its statuses and a machine-readable body', () => {
  const error = new OperatorError('E_NO_SUCH_SERVICE', 'there is no shop', { subject: 'shop', next: 'tandem status' })
  expect([error.exitCode, error.httpStatus]).toEqual([4, 404])
  expect(error.body()).toEqual({
    ...{ code: 'E_NO_SUCH_SERVICE', message: 'there is no shop', subject: 'shop', next: 'tandem status' },
  })
})
