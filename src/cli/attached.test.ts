import { expect, it } from 'vitest'
import { failureOf } from './attached.ts'

it.each([
  [
    { code: 'E_ENVIRONMENT', message: 'ENOSPC: no space left on device, write' },
    'the command could not run on its machine: ENOSPC: no space left on device, write',
    /^tandem doctor /,
  ],
  [
    { code: 'E_SECRETS', message: 'shop.env is readable by others' },
    'shop.env is readable by others',
    /^tandem status shop$/,
  ],
] as const)('a failed command leads to what is wrong: %j', (frame, message, next) => {
  expect(failureOf(frame, 'shop')).toMatchObject({ message, subject: 'shop', next: expect.stringMatching(next) })
})
