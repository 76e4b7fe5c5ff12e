import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { until } from '../../lib/testing/until.ts'
import { parseTerminal } from './process/procProcessTable.ts'
import { resizeTerminal } from './terminals.ts'

it('resizes the terminal of a program, which hears of it', async () => {
  const child = spawn('script', [
    '-qefc',
    'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done',
    '/dev/null',
  ])
  let text = ''
  child.stdout.on('data', (chunk) => (text += String(chunk)))
  await until(() => expect(text).toContain('ready'))
  const { stdout } = spawn('pgrep', ['-P', String(child.pid)])
  const [pids] = (await once(stdout, 'data')) as [Buffer]
  await resizeTerminal([child.pid ?? 0, ...pids.toString().trim().split('\n').map(Number)], { rows: 41, columns: 117 })
  await once(child, 'close')
  expect(text).toContain('41 117')
})

it('finds the terminal in the stat of a process, and none where there is none', async () => {
  const stat = (device: number): string => `7 (a) b) S 1 7 7 ${device} -1 0`
  expect(parseTerminal(stat((136 << 8) | 5))).toBe('/dev/pts/5')
  expect(parseTerminal(stat((137 << 8) | 5))).toBe('/dev/pts/261')
  expect(parseTerminal(stat(0))).toBeNull()
  expect(parseTerminal(stat((4 << 8) | 1))).toBeNull()
  await resizeTerminal([], { rows: 24, columns: 80 })
})
