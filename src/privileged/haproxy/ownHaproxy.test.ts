import { expect, it } from 'vitest'
import { runsAsRoot } from './ownHaproxy.ts'

it('does not count a process that systemd has just made and that has not yet switched to its user as root', () => {
  const root = (): number => 0
  expect(runsAsRoot('MainPID=7\nSubState=running\n', root)).toBe(true)
  expect(runsAsRoot('MainPID=7\nSubState=start\n', root)).toBe(false)
  expect(runsAsRoot('MainPID=7\nSubState=running\n', () => 998)).toBe(false)
  expect(runsAsRoot('MainPID=7\nSubState=running\n', () => undefined)).toBe(false)
  expect(runsAsRoot('MainPID=0\nSubState=dead\n', root)).toBe(false)
})
