import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import type { ApiClient } from '../../api/client.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { Output } from '../output.ts'
import type { Session } from '../session.ts'
import { rollAfter } from './rollAfter.ts'

it('tells with --json that the change is stored, also when a rollout cannot begin', async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const refused = new OperatorError('E_LOG_BEHIND', 'machine a refuses', { subject: 'shop', next: 'wait' })
  const client = { call: () => Promise.reject(refused) } as unknown as ApiClient
  const out = new Output({ stdout, stderr, env: {} }, true)
  const session = { out, signal: new AbortController().signal } as unknown as Session
  expect(await rollAfter(session, client, { path: 'shop/db', version: 2 }, ['shop', 'blog'])).toBe(4)
  stdout.end()
  expect(JSON.parse(await text(stdout))).toMatchObject({
    ...{ path: 'shop/db', version: 2, rollouts: [] },
    error: { code: 'E_LOG_BEHIND', message: 'machine a refuses' },
  })
})
