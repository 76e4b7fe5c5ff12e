import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readDefinition } from '../definitions/readDefinition.ts'
import { freePort } from '../lib/freePort.ts'

const examples = join(import.meta.dirname, '../../examples')
const hasPython = (): boolean => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

let data: string
let children: ChildProcess[]
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'tandem-examples-'))
  children = []
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(data, { recursive: true, force: true })
})

interface Running {
  child: ChildProcess
  port: number
  lines: AsyncIterator<string>
  output: Interface
}

/** Runs an example by the command in its definition, and waits for its first line. */
async function start(name: string): Promise<Running> {
  const folder = join(examples, name)
  const { definition, warnings } = await readDefinition(join(folder, 'tandem.yaml'))
  expect(warnings).toEqual([])
  const [program = '', ...args] = definition.run
  const port = await freePort()
  const given = {
    PORT: String(port),
    HOST: '127.0.0.1',
    TANDEM_DATA: data,
    TANDEM_MACHINE: 'a',
    TANDEM_INSTANCE: 'x-a-1',
  }
  const child = spawn(program === 'node' ? process.execPath : program, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...definition.env, ...given },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const output = createInterface({ input: child.stdout })
  const lines = output[Symbol.asyncIterator]()
  await lines.next()
  return { child, port, lines, output }
}

async function endOf(child: ChildProcess): Promise<unknown> {
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  return (await exited)[0]
}

describe('the examples', () => {
  it('node: answers all accepted requests before it exits', async () => {
    const { child, port } = await start('node')
    const page = await fetch(`http://127.0.0.1:${port}/`)
    expect(await page.text()).toContain('Hello from the first release')
    const stream = await fetch(`http://127.0.0.1:${port}/events`)
    const slow = fetch(`http://127.0.0.1:${port}/slow?ms=300`)
    // The answer to a later request proves that the slow request is in progress.
    await fetch(`http://127.0.0.1:${port}/healthz`)
    const ended = endOf(child)
    expect(await (await slow).text()).toContain('after a while')
    expect(await stream.text()).toContain('event: bye')
    expect(await ended).toBe(0)
  })

  it.skipIf(!hasPython())(
    'python: counts visits where it may write, and ends when told (skipped without python3)',
    async () => {
      const { child, port } = await start('python')
      const visit = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text()
      expect([await visit(), await visit()].map((text) => text.slice(0, 7))).toEqual(['visit 1', 'visit 2'])
      expect(await endOf(child)).toBe(0)
    },
  )

  it('tcp: sends a goodbye to connected clients', async () => {
    const { child, port } = await start('tcp')
    const reset = connect(port, '127.0.0.1')
    await once(reset, 'data')
    reset.resetAndDestroy()
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    let text = ''
    socket.on('data', (part) => {
      text += String(part)
    })
    socket.write('hello\n')
    while (!text.includes('HELLO')) await once(socket, 'data')
    const closed = once(socket, 'close')
    const ended = endOf(child)
    await closed
    expect(text).toBe('you speak with a\nHELLO\nbye, connect again\n')
    expect(await ended).toBe(0)
  })

  it('hostile: makes one report at a time, whatever it is asked', async () => {
    const { port } = await start('hostile')
    const report = await fetch(`http://127.0.0.1:${port}/`)
    const first = await report.body?.getReader().read()
    expect(Buffer.from(first?.value ?? []).toString()).toContain('on machine a reaches (tried by x-a-1):')
    expect((await fetch(`http://127.0.0.1:${port}/?host=10.0.0.1`)).status).toBe(503)
    expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).text()).toBe('ok\n')
  })

  it('worker: does its jobs, and exits at once on a signal', async () => {
    const todo = join(data, 'jobs/todo')
    mkdirSync(todo, { recursive: true })
    writeFileSync(join(todo, 'first'), 'hello')
    const { child, lines } = await start('worker')
    expect((await lines.next()).value).toBe('job first: 5 bytes')
    expect(await endOf(child)).toBe(0)
    expect(readdirSync(join(data, 'jobs/done'))).toEqual(['first'])
  })
})
