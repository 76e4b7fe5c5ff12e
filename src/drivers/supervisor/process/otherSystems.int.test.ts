import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { openProcessLab } from './processLab.ts'
import { parseStat, procProcessTable } from './procProcessTable.ts'
import { parsePs, psProcessTable } from './psProcessTable.ts'
import { lsofSocketTable } from './sockets.ts'

const has = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`])
    return true
  } catch {
    return false
  }
}

it('reads a process whose name has blanks and parentheses', () => {
  const text = `7 (a) b (c) S 1 7 6 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1`
  expect(parseStat(7, text)).toEqual({ pid: 7, parent: 1, group: 7, session: 6, started: '4242', zombie: false })
})

it('reads the output of ps', () => {
  const text = '  1  0  1 Ss   Mon Nov 16 08:00:01 2026\n 20 1 20 Z+ Mon Nov 16 08:00:02 2026\n'
  expect(parsePs(text)).toEqual([
    { pid: 1, parent: 0, group: 1, session: 0, started: 'Mon Nov 16 08:00:01 2026', zombie: false },
    { pid: 20, parent: 1, group: 20, session: 0, started: 'Mon Nov 16 08:00:02 2026', zombie: true },
  ])
})

it.skipIf(process.platform !== 'linux')('ps and /proc report the same', async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true })
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const [byPs, byProc] = [await psProcessTable.look(pid), await procProcessTable.look(pid)]
  expect({ ...byPs, session: 0, started: '' }).toEqual({ ...byProc, session: 0, started: '' })
  expect((await psProcessTable.list()).find((info) => info.pid === pid)).toEqual(byPs)
  expect(await psProcessTable.commandLine(pid)).toBe(await procProcessTable.commandLine(pid))
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await psProcessTable.look(pid)).toBe(null)
  expect(await psProcessTable.commandLine(pid)).toBe(null)
})

it.skipIf(!has('lsof'))('lsof reports the listening process', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  expect(await lsofSocketTable.listener(port, [() => Promise.resolve([1]), () => Promise.resolve([process.pid])])).toBe(
    process.pid,
  )
  expect(await lsofSocketTable.listener(port, [() => Promise.resolve([])])).toBe(null)
  server.close()
  await once(server, 'close')
  expect(await lsofSocketTable.listener(port, [() => Promise.resolve([process.pid])])).toBe(null)
})

it.skipIf(process.platform !== 'linux')('starts and stops a whole group with ps and lsof alone', async () => {
  const table = { ...psProcessTable, bootId: () => procProcessTable.bootId() }
  const lab = openProcessLab({ table, ...(has('lsof') ? { sockets: lsofSocketTable } : {}) })
  const spec = lab.spec(['/bin/sh', '-c', 'sleep 1000 & sleep 1000 & echo up; wait'])
  const { pid } = await lab.driver.start(spec)
  await lab.printed(spec.id, /up/)
  await lab.driver.stop(spec.id)
  expect((await procProcessTable.list()).filter((info) => info.group === pid && !info.zombie)).toEqual([])
  await lab.close()
})
