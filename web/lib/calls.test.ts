import { expect, it } from 'vitest'
import { operations as allOperations, streams as allStreams } from '../../src/api/contract.ts'
import { basePath } from '../../src/api/operation.ts'
import type { Operation } from '../../src/api/operation.ts'
import { apiPath } from './request.ts'
import { calls, signInCall, streams } from './calls.ts'

const operations: Record<string, Operation> = allOperations

it('the page calls what the contract has, by its method and path', () => {
  expect(apiPath).toBe(basePath)
  for (const [name, call] of Object.entries({ ...calls, startSession: signInCall.join(' ') })) {
    expect([name, call]).toEqual([name, `${operations[name]?.method} ${operations[name]?.path}`])
  }
  const known: Record<string, { path: string }> = allStreams
  for (const [name, path] of Object.entries(streams)) expect([name, path]).toEqual([name, known[name]?.path])
})
