import { describe, expect, it } from 'vitest'
import { isLocalHost, isLoopbackAddress } from './localHost.ts'

describe('a Host that names this computer', () => {
  it.each([
    'localhost',
    'LOCALHOST:7480',
    'tandem.localhost:7480',
    '127.0.0.1',
    '127.0.0.1:80',
    '[::1]:80',
    '[::1]',
    '10.0.0.10:7480',
  ])('%s', (host) => expect(isLocalHost(host)).toBe(true))
  it.each([
    'evil.example',
    'evil.example:7480',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'notlocalhost',
    '',
    undefined,
  ])('not %s', (host) => expect(isLocalHost(host)).toBe(false))
})

it('a loopback address', () => {
  expect(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'].map(isLoopbackAddress)).toEqual([true, true, true, true])
  expect(['10.0.0.1', '::2', '::ffff:10.0.0.1', ''].map(isLoopbackAddress)).toEqual([false, false, false, false])
})
