import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../src/lib/testing/until.ts'
import { Assembled } from './assembled.ts'

const root = join(import.meta.dirname, '../..')
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

interface Recorded {
  type: string
  by?: string
  data: Record<string, unknown>
}

describe('programs beside an instance on a laptop', () => {
  let laptop: Assembled
  let instance: string
  beforeAll(async () => {
    laptop = await Assembled.start({ machines: 1 })
    const definition =
      'service: jobs\nrun: sleep 100000\nlisten: none\nenv: { COLOUR: red }\nhealth: { settle: 10ms }\n'
    expect(await laptop.json('push', laptop.service('jobs', definition))).toMatchObject({ exit: 0 })
    instance = await running()
  })
  afterAll(() => laptop?.remove())

  async function running(): Promise<string> {
    const { services } = await laptop.json<{ services: { instances: { id: string }[] }[] }>('status')
    return services[0]?.instances[0]?.id ?? ''
  }

  const accesses = async (): Promise<Recorded[]> =>
    (await laptop.run('events', '--json')).out
      .map((line) => JSON.parse(line) as Recorded)
      .filter(({ type }) => type.startsWith('Access'))

  async function exec(argv: string[], input: Uint8Array | null = null) {
    const child = laptop.spawnFed('exec', ...(input === null ? ['--no-stdin'] : []), instance, '--', ...argv)
    const out: Buffer[] = []
    let err = ''
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr?.on('data', (chunk) => (err += String(chunk)))
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? undefined)
    const [code] = (await once(child, 'close')) as [number] // the arguments of 'close'
    return { code, out: Buffer.concat(out), err }
  }

  /** `tandem shell` in a terminal: script(1) makes one. */
  function shell(...args: string[]): { child: ChildProcess; text: () => string; type: (text: string) => void } {
    const command = [process.execPath, join(root, 'src/main.ts'), 'shell', ...args].join(' ')
    const child = spawn('script', ['-qefc', `stty rows 33 cols 101; exec ${command}`, '/dev/null'], {
      env: { ...laptop.env, TERM: 'xterm', NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout?.on('data', (chunk) => (text += String(chunk)))
    return { child, text: () => text, type: (more) => void child.stdin?.write(more) }
  }

  it('have the environment of the instance, exact bytes both ways and the exit status', async () => {
    const { out } = await exec(['sh', '-c', 'echo "$COLOUR $TANDEM_INSTANCE"; pwd'])
    expect(out.toString()).toMatch(new RegExp(`^red ${instance}\n/`))
    const sent = randomBytes(3_000_000)
    const echoed = await exec(['cat'], sent)
    expect([echoed.code, digest(echoed.out)]).toEqual([0, digest(sent)])
    const apart = await exec(['sh', '-c', 'printf out; printf err >&2; exit 7'])
    expect([apart.code, apart.out.toString(), apart.err]).toEqual([7, 'out', expect.stringMatching(/err$/)])
    expect((await exec(['sh', '-c', 'kill -TERM $$'])).code).toBe(128 + 15)
    const missing = await exec(['nosuchprogram'])
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('no program "nosuchprogram"')])
  })

  it('are recorded: who, the command, how it ended and how long it took', async () => {
    await exec(['sh', '-c', 'exit 3'])
    await until(async () => expect((await accesses()).at(-1)).toMatchObject({ type: 'AccessEnded', data: { code: 3 } }))
    const [started, ended] = (await accesses()).slice(-2)
    expect(started).toMatchObject({
      ...{ type: 'AccessStarted', by: 'tandem up' },
      data: { kind: 'exec', service: 'jobs', instance, machine: 'a', command: "sh -c 'exit 3'" },
    })
    expect(ended?.data).toMatchObject({ how: 'exited', signal: null, lastedMs: expect.any(Number) })
  })

  it('leave the instance alone when they end', async () => {
    const before = await laptop.json<{ services: { instances: object[] }[] }>('status')
    await exec(['sh', '-c', 'sleep 1000 >/dev/null 2>&1 & exit 0'])
    const after = await laptop.json<{ services: { instances: object[] }[] }>('status')
    expect(after.services[0]?.instances).toEqual(before.services[0]?.instances)
  })

  it('are a shell in a terminal that follows the size of mine, and takes Ctrl-C and Ctrl-Z', async () => {
    const { child, text, type } = shell('jobs')
    await until(() => expect(text()).toContain(`${instance} on machine a`))
    const prompts = (): number => text().split('ready> ').length - 1
    type("PS1='re''ady> '\r")
    await until(() => expect(prompts()).toBe(1))
    type('stty size; echo "colour $COLOUR" $TERM\r')
    await until(() => expect(prompts()).toBe(2))
    expect(text()).toMatch(/33 101\r\ncolour red xterm/)
    for (const [key, shown] of [
      ['\x03', '^C'],
      ['\x1a', 'Stopped'],
    ] as const) {
      const before = prompts()
      type(`echo be""gun ${before}; sleep 1000\r`)
      await until(() => expect(text()).toContain(`begun ${before}`))
      type(key)
      await until(() => expect(prompts()).toBe(before + 1))
      expect(text()).toContain(shown)
    }
    type('printf "\\303\\274\\001\\377" | od -An -tx1; exec sh -c "exit 9"\r')
    const [code] = (await once(child, 'close')) as [number] // the arguments of 'close'
    expect([code, text()]).toEqual([9, expect.stringContaining('c3 bc 01 ff')])
  })

  it('end when their person is gone', async () => {
    const { child, text, type } = shell('jobs')
    await until(() => expect(text()).toContain(`${instance} on machine a`))
    type('sleep 31415\r')
    const sleeps = async (): Promise<string> =>
      (await exec(['sh', '-c', 'ps -e -o args= | grep "^sleep 31415"'])).out.toString()
    await until(async () => expect(await sleeps()).not.toBe(''))
    child.kill('SIGKILL')
    await until(async () => expect(await sleeps()).toBe(''))
    await until(async () =>
      expect(await accesses()).toContainEqual(
        expect.objectContaining({ data: expect.objectContaining({ kind: 'shell', how: 'left' }) }),
      ),
    )
  })

  it('are refused without a terminal, and for instances that are not there', async () => {
    const plain = await laptop.run('shell', 'jobs')
    expect([plain.code, plain.err]).toEqual([2, expect.stringContaining('must be a terminal')])
    const none = await laptop.run('exec', 'nobody', '--', 'true')
    expect([none.code, none.err]).toEqual([4, expect.stringContaining(`instances: ${instance}`)])
  })

  it('end with the instance, and say so', async () => {
    const waiting = exec(['sleep', '1000'])
    await until(async () => expect((await accesses()).at(-1)).toMatchObject({ data: { command: 'sleep 1000' } }))
    expect(await laptop.json('stop', 'jobs')).toMatchObject({ exit: 0 })
    const { code, err } = await waiting
    expect([code, err]).toEqual([4, expect.stringContaining(`instance ${instance} is being stopped`)])
    const after = await laptop.run('exec', instance, '--', 'true')
    expect(after.code).toBe(4)
  })
})
