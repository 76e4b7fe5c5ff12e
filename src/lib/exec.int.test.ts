import { expect, it } from 'vitest'
import { exec } from './exec.ts'

const slow = [process.execPath, '-e', 'setTimeout(() => console.log("done"), 50)']

it('kills a program that does not end in time', async () => {
  const hangs = [process.execPath, '-e', 'setInterval(() => {}, 1000)']
  await expect(exec(hangs, { timeoutMs: 20 })).rejects.toThrow('did not end within 20 ms')
})

it('accepts a timeout longer than a timer can count', async () => {
  expect(await exec(slow, { timeoutMs: 30 * 24 * 3_600_000 })).toEqual({ code: 0, out: 'done\n', err: '' })
})
