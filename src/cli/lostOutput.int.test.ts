import { spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { statusView } from './testing/views.ts'
import { fakeController } from './testing/fakeController.ts'

const main = join(import.meta.dirname, '../main.ts')
const full = '/dev/full'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-lost-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

interface Ended {
  code: number | null
  out: string
  err: string
}

/** Runs a command as a process. A stream that is `closed` has lost its reader before the command starts. */
async function run(
  argv: string[],
  streams: { out?: 'closed' | 'full'; err?: 'closed' | 'full' },
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const fd = existsSync(full) ? openSync(full, 'w') : -1
  const kind = (one?: 'closed' | 'full'): number | 'pipe' => (one === 'full' ? fd : 'pipe')
  const stdio: StdioOptions = ['ignore', kind(streams.out), kind(streams.err)]
  const child = spawn(process.execPath, [main, ...argv], {
    ...{ stdio, cwd: folder },
    env: { PATH: process.env['PATH'], HOME: folder, XDG_CONFIG_HOME: folder, ...env },
  })
  if (fd >= 0) closeSync(fd)
  if (streams.out === 'closed') child.stdout?.destroy()
  if (streams.err === 'closed') child.stderr?.destroy()
  const ended: Ended = { code: null, out: '', err: '' }
  child.stdout?.on('data', (text) => (ended.out += String(text)))
  child.stderr?.on('data', (text) => (ended.err += String(text)))
  const [code] = (await once(child, 'close')) as [number | null] // the arguments of 'close'
  return { ...ended, code }
}

/** Answers everything that `machine note` asks, and counts the notes. */
async function notedOn(): Promise<{ env: NodeJS.ProcessEnv; notes: () => number }> {
  let notes = 0
  const env = await fakeController((request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.method === 'POST') notes++
    response.end(JSON.stringify(request.method === 'POST' ? { position: 1 } : statusView()))
  })
  return { env, notes: () => notes }
}

describe('without a reader of standard error', () => {
  it('keeps the exit code of an error', async () => {
    expect(await run(['statsu'], { err: 'closed' })).toMatchObject({ code: 2 })
  })

  it('carries out a command that changes the cluster', async () => {
    const { env, notes } = await notedOn()
    expect(await run(['machine', 'note', 'a', 'text'], { err: 'closed' }, env)).toMatchObject({ code: 0 })
    expect(notes()).toBe(1)
  })
})

describe('without a reader of standard output', () => {
  it('ends a command that only shows, with 0', async () => {
    expect(await run(['help'], { out: 'closed' })).toEqual({ code: 0, out: '', err: '' })
  })

  it('keeps the exit code of a command that changes the cluster', async () => {
    const { env } = await notedOn()
    const args = ['machine', 'note', 'a', 'text', '--json']
    expect(await run(args, { out: 'closed' }, env)).toMatchObject({ code: 0 })
    expect(
      await run(args, { out: 'closed' }, { TANDEM_URL: 'http://127.0.0.1:9', TANDEM_TOKEN: 'tdm_0123456789' }),
    ).toMatchObject({ code: 3 })
  })
})

describe('of a command that changes something without a dry run', () => {
  it.each([[['push']], [['upgrade', 'none.tar.gz']], [['agent', 'join', '127.0.0.1:9', '--token', 'x', '--pin', 'x']]])(
    '%j keeps the exit code without a reader',
    async (argv) => {
      const read = await run([...argv, '--json'], {})
      expect(read.code).toBeGreaterThan(0)
      expect(await run([...argv, '--json'], { out: 'closed' })).toMatchObject({ code: read.code })
    },
  )
})

describe.skipIf(!existsSync(full))('on a full disk', () => {
  it('says so, without a stack trace', async () => {
    const { env } = await notedOn()
    for (const argv of [['help'], ['status'], ['machine', 'note', 'a', 'text']]) {
      const { code, err } = await run(argv, { out: 'full' }, env)
      expect([argv, code]).toEqual([argv, 1])
      expect(err).toMatch(/error: cannot write to standard output: ENOSPC.* \(E_ENVIRONMENT\)/)
      expect(err).not.toMatch(/^ +at /m)
    }
  })

  it('keeps the exit code where only standard error is lost', async () => {
    expect(await run(['statsu'], { err: 'full' })).toMatchObject({ code: 2 })
  })
})
