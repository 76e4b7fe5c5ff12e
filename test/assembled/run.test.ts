import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Assembled } from './assembled.ts'
import { until } from '../system/watch.ts'

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('tandem run', () => {
  let laptop: Assembled
  beforeAll(async () => {
    laptop = await Assembled.start({ machines: 1 })
    const folder = laptop.service('jobs', 'service: jobs\nrun: sleep 100000\nlisten: none\nhealth: { settle: 10ms }\n')
    expect(await laptop.json('push', folder)).toMatchObject({ exit: 0 })
  })
  afterAll(() => laptop?.remove())

  /** Runs a command with this input; returns its output as bytes. */
  async function bytes(
    argv: string[],
    input: Uint8Array | null = null,
  ): Promise<{ code: number; out: Buffer; err: string }> {
    const child = laptop.spawnFed('run', 'jobs', ...(input === null ? ['--no-stdin'] : []), '--', ...argv)
    const out: Buffer[] = []
    let err = ''
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr?.on('data', (chunk) => (err += String(chunk)))
    child.stdin?.on('error', () => {}) // for a program that does not read its input
    child.stdin?.end(input ?? undefined)
    const [code] = (await once(child, 'close')) as [number] // the arguments of 'close'
    return { code, out: Buffer.concat(out), err }
  }

  it('passes on every line of a long output', async () => {
    const { code, out } = await bytes(['seq', '1', '50000'])
    expect(out.toString()).toBe(Array.from({ length: 50_000 }, (_, index) => `${index + 1}\n`).join(''))
    expect(code).toBe(0)
  })

  it('passes bytes through unchanged, both ways, and adds no newline', async () => {
    const sent = Buffer.concat([randomBytes(5_000_000), Buffer.from('no newline')])
    const { code, out } = await bytes(['cat'], sent)
    expect([code, out.length, digest(out)]).toEqual([0, sent.length, digest(sent)])
    const file = join(laptop.folder, 'dump')
    writeFileSync(file, sent)
    expect(digest((await bytes(['cat', file])).out)).toBe(digest(sent))
    expect((await bytes(['cat', '/dev/stdin'], Buffer.from('opened again'))).out.toString()).toBe('opened again')
    const afterItsEnd = await bytes(['sh', '-c', 'cat; cat /dev/stdin'], Buffer.from('read'))
    expect([afterItsEnd.code, afterItsEnd.out.toString()]).toEqual([0, 'read'])
  })

  it('separates stdout and stderr, and returns the exit status', async () => {
    const { code, out, err } = await bytes(['sh', '-c', 'printf "to out"; printf "to err" >&2; exit 7'])
    expect([code, out.toString()]).toEqual([7, 'to out'])
    expect(err).toMatch(/to err$/)
    expect((await bytes(['sh', '-c', 'kill -TERM $$'])).code).toBe(128 + 15)
    expect((await bytes(['cat'])).out).toHaveLength(0)
    const missing = await bytes(['nosuchprogram'])
    expect(missing.err).toContain('no program "nosuchprogram" in PATH')
    expect(missing.err).toContain('next  check the spelling; install the program on the machines')
  })

  it('ends with the command while its own input stays open, as on a terminal, without a warning', async () => {
    const child = laptop.spawnFed('run', 'jobs', '--', 'sh', '-c', 'exit 7')
    let err = ''
    child.stderr?.on('data', (chunk) => (err += String(chunk)))
    const [code] = (await once(child, 'close')) as [number] // the arguments of 'close'
    expect([code, err.match(/warning.*/)]).toEqual([7, null])
  })

  it('prints JSON with base64, and the exit status last', async () => {
    const { out, code } = await laptop.run('run', 'jobs', '--json', '--', 'sh', '-c', 'printf "\\377\\0"; exit 3')
    expect(out.map((line) => JSON.parse(line) as unknown)).toEqual([
      { stream: 'out', data: Buffer.from([255, 0]).toString('base64') },
      { exit: { code: 3, signal: null } },
    ])
    expect(code).toBe(3)
  })

  it('makes the program wait while its output is not read', async () => {
    const child = laptop.spawnFed('run', 'jobs', '--no-stdin', '--', 'sh', '-c', 'echo $$; exec cat /dev/zero')
    const [first] = (await once(child.stdout ?? child, 'data')) as [Buffer]
    child.stdout?.pause()
    const pid = Number(first.toString().split('\n')[0])
    const written = (): number => Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
    let before = -1
    await until('the program stops writing', () => {
      const now = written()
      const isHeld = now === before && now > 0
      before = now
      return isHeld
    })
    expect(before).toBeLessThan(64 * 1024 * 1024)
    child.kill('SIGINT')
    await until('the program ends when its reader has disconnected', () => hasEnded(pid))
    child.stdout?.resume()
  })

  it('stops the program at Ctrl-C, also one that reads no input', async () => {
    const script = 'echo $$; exec sleep 1000'
    const child = laptop.spawnFed('run', 'jobs', '--', 'sh', '-c', script)
    child.stdin?.on('error', () => {})
    child.stdin?.write(randomBytes(10_000_000))
    const [first] = (await once(child.stdout ?? child, 'data')) as [Buffer]
    child.kill('SIGINT')
    expect((await once(child, 'close'))[0]).toBe(130)
    await until('the program has ended', () => hasEnded(Number(first.toString())))
  })
})

describe('output of a service', () => {
  let laptop: Assembled
  beforeAll(async () => {
    laptop = await Assembled.start({ machines: 1 })
  })
  afterAll(() => laptop?.remove())

  it('of four megabytes at once is kept completely', async () => {
    const about = 'listen: none\nhealth: { settle: 10ms }\n'
    const folder = laptop.service('loud', `service: loud\nrun: ["sh", "-c", "cat burst; exec sleep 100000"]\n${about}`)
    const lines = Array.from({ length: 40_000 }, (_, index) => String(index).padStart(90, '0'))
    writeFileSync(join(folder, 'burst'), `${lines.join('\n')}\n`)
    expect(await laptop.json('push', folder)).toMatchObject({ exit: 0 })
    const last = String(39_999).padStart(90, '0')
    await until('the last line', async () => (await laptop.run('logs', 'loud', '-n', '1')).out[0]?.endsWith(last))
    const { out } = await laptop.run('logs', 'loud')
    expect(out.filter((line) => line.includes('dropped'))).toEqual([])
    const numbers = out.flatMap((line) => /(\d{90})$/.exec(line)?.[1] ?? []).map(Number)
    expect(numbers).toEqual(Array.from({ length: 40_000 }, (_, index) => index))
  })

  it('is followed with every line, also of equal lines in the same millisecond', async () => {
    const about = 'listen: none\nhealth: { settle: 10ms }\n'
    const script = 'i=0; while [ $i -lt 500 ]; do echo same; i=$((i+1)); done; echo last; exec sleep 100000'
    const folder = laptop.service('equal', `service: equal\nrun: ["sh", "-c", "${script}"]\n${about}`)
    expect(await laptop.json('push', folder)).toMatchObject({ exit: 0 })
    const following = laptop.spawn('logs', 'equal', '-f')
    const said = { out: '' }
    following.stdout?.on('data', (chunk) => (said.out += String(chunk)))
    await until('the last line', () => said.out.includes(' last'))
    following.kill('SIGINT')
    expect(said.out.match(/ same$/gm)).toHaveLength(500)
  })

  it('of an unknown instance is refused; a prefix of a known instance is accepted', async () => {
    const [line] = (await laptop.run('logs', 'loud', '-n', '1', '--json')).out
    const { instance } = JSON.parse(line ?? '') as { instance: string } // the documented type
    expect((await laptop.run('logs', 'loud', '--instance', instance.slice(0, -2), '-n', '1')).code).toBe(0)
    for (const more of [[], ['-f']]) {
      const refused = await laptop.json('logs', 'loud', '--instance', 'nosuch', ...more)
      expect(refused).toMatchObject({ exit: 4, error: { code: 'E_NO_SUCH_INSTANCE' } })
    }
    const once = await laptop.run('run', 'loud', '--', 'true')
    expect(once.code).toBe(0)
  })
})

function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}
