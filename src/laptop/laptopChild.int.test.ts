import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LaptopChild } from './laptopChild.ts'
import { RotatingLog } from './rotatingLog.ts'

let folder: string
let news: string[]
let heard: () => void
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-child-'))
  news = []
  heard = () => {}
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function start(program: string, logFile = join(folder, 'agent.log')): LaptopChild {
  return new LaptopChild({
    ...{ name: 'machine a', command: process.execPath, args: ['-e', program], env: process.env },
    logFile,
    onNews: (text) => {
      news.push(text)
      heard()
    },
  })
}

async function newsOf(part: string): Promise<void> {
  while (!news.some((text) => text.includes(part))) {
    await new Promise<void>((resolve) => {
      heard = resolve
    })
  }
}

const runs = 'process.send({ event: "ready", http: 8001 }); setInterval(() => {}, 1000);'

it('is ready on its message, keeps its output, and stops on request', async () => {
  const ends = 'process.on("SIGTERM", () => { console.log("bye"); process.exit(0) });'
  const child = start(`${ends} console.log("hello"); ${runs}`)
  expect(await child.ready).toEqual({ event: 'ready', http: 8001 })
  await child.stop()
  expect(readFileSync(join(folder, 'agent.log'), 'utf8')).toBe('hello\nbye\n')
  expect(statSync(join(folder, 'agent.log')).mode & 0o777).toBe(0o600)
  expect(news).toEqual([])
})

it('is restarted when it is killed', async () => {
  const child = start(runs)
  await child.ready
  const first = child.pid
  process.kill(first ?? 0, 'SIGKILL')
  await newsOf('runs again')
  expect(child.pid).not.toBe(first)
  expect(news[0]).toMatch(/^machine a was ended by SIGKILL; restarting it in 0\.\d s$/)
  await child.stop()
})

it('fails with its own error if it ends before it is ready', async () => {
  const told = {
    error: { code: 'E_PORT_TAKEN', message: 'something else listens', subject: '127.0.0.1:80', next: 'look' },
  }
  const child = start(`console.log(${JSON.stringify(JSON.stringify(told))}); process.exitCode = 4`)
  await expect(child.ready).rejects.toMatchObject({
    ...{ code: 'E_PORT_TAKEN', message: 'machine a: something else listens', subject: '127.0.0.1:80', next: 'look' },
  })
  await child.stop()
})

it('fails with its exit status if it printed no error', async () => {
  const child = start('process.exitCode = 9')
  await expect(child.ready).rejects.toMatchObject({ code: 'E_ENVIRONMENT', message: 'machine a exited with status 9' })
  await child.stop()
})

it('keeps its log within the limit, with the newest lines', () => {
  const log = new RotatingLog(join(folder, 'x.log'), { limit: 100, onNews: (text) => news.push(text) })
  for (let line = 0; line < 50; line++) log.write(Buffer.from(`line ${String(line).padStart(3, '0')}\n`))
  log.close()
  const [now, before] = ['x.log', 'x.log.1'].map((name) => readFileSync(join(folder, name), 'utf8'))
  expect(now?.length).toBeLessThanOrEqual(100)
  expect(before?.length).toBeLessThanOrEqual(100)
  expect(`${before}${now}`.trim().split('\n').at(-1)).toBe('line 049')
  expect(news).toEqual([])
})

it('loses output that cannot be written, and reports once that it is lost and once that writing works again', () => {
  const path = join(folder, 'x.log')
  const log = new RotatingLog(path, { limit: 10, onNews: (text) => news.push(text) })
  // The previous file cannot be replaced.
  mkdirSync(`${path}.1/in the way`, { recursive: true })
  for (const line of ['first 1\n', 'lost 1\n', 'lost 2\n']) log.write(Buffer.from(line))
  expect(news).toEqual([
    expect.stringMatching(
      /cannot write .*x\.log; its output is lost until it can be written again: .*\b(EISDIR|ENOTEMPTY)\b/,
    ),
  ])
  rmSync(`${path}.1`, { recursive: true })
  for (const line of ['again 1\n', 'again 2\n']) log.write(Buffer.from(line))
  expect(news.slice(1)).toEqual([`${path} is written again`])
  // The file was removed by hand, or by an interrupted rotation.
  rmSync(path)
  log.write(Buffer.from('again 3\n'))
  log.close()
  expect(readFileSync(path, 'utf8')).toBe('again 3\n')
})

it.skipIf(!existsSync('/dev/full'))('survives a full disk (skipped where /dev/full is missing)', async () => {
  const child = start(`console.log("hello"); ${runs}`, '/dev/full')
  await child.ready
  await newsOf('ENOSPC')
  await child.stop()
  expect(news).toHaveLength(1)
})
