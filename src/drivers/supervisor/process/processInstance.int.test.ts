import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, openProcessLab, stillRunning, type ProcessLab } from './processLab.ts'

const onLinux = process.platform === 'linux'
let lab: ProcessLab

beforeEach(() => {
  lab = openProcessLab()
})
afterEach(() => lab.close())

const printEnvironment = `process.stdout.write(JSON.stringify(process.env) + '\\n')`

describe('a burst of output', () => {
  it('larger than the buffer for the disk is kept completely: the program waits', async () => {
    await lab.close()
    lab = openProcessLab({ limits: { pendingBytes: 200_000, holdMs: 60_000 } })
    const spec = lab.spec(['/usr/bin/seq', '1', '200000'])
    await lab.driver.start(spec)
    await lab.exit(spec.id)
    const lines = (await lab.lines(spec.id)).filter(({ text }) => !/^(started|ended): /.test(text))
    expect(lines.map(({ text }) => text)).toEqual(Array.from({ length: 200_000 }, (_, index) => String(index + 1)))
  })
})

describe('the environment', () => {
  const exact = async (env: Record<string, string>): Promise<unknown> => {
    const spec = lab.spec([process.execPath, '-e', printEnvironment], { env })
    await lab.driver.start(spec)
    await lab.exit(spec.id)
    const line = (await lab.lines(spec.id)).find(({ stream }) => stream === 'out')
    return JSON.parse(line?.text ?? '{}')
  }

  it('is the specified environment and nothing else', async () => {
    const env = { TANDEM_INSTANCE: 'x', QUOTED: `a "b" 'c' $HOME \`d\``, EMPTY: '', UTF8: 'schön', LINES: 'a\nb' }
    expect(await exact(env)).toEqual(env)
    expect(await exact({})).toEqual({})
  })

  it('keeps names that a shell would drop or set itself', async () => {
    const env = { PWD: '/nowhere', OLDPWD: 'x', SHLVL: '7', _: 'y', 'discovery.type': 'single', IFS: ':', PPID: '1' }
    expect(await exact(env)).toEqual(env)
  })

  it.skipIf(!onLinux)('has no ignored signals and no open files of the agent', async () => {
    const script = 'grep SigIgn /proc/self/status; readlink /proc/self/fd/0; ls /proc/self/fd | wc -l'
    const spec = lab.spec(['/bin/sh', '-c', script])
    const before = readdirSync('/proc/self/fd').length
    await lab.driver.start(spec)
    await lab.exit(spec.id)
    const out = (await lab.lines(spec.id)).filter(({ stream }) => stream === 'out').map(({ text }) => text)
    // Signals 32 and 33 belong to glibc: programs that it spawns (make, for example) ignore them.
    const ignored = BigInt(`0x${out[0]?.split('\t')[1]}`) & 0x7fffffffn
    expect([ignored, out[1]]).toEqual([0n, '/dev/null'])
    // stdin, stdout, stderr, the folder, and files that the starter of the tests left open in all processes.
    expect(Number(out[2])).toBeLessThan(10)
    await eventually('its pipes are closed', () => readdirSync('/proc/self/fd').length <= before)
  })

  it.skipIf(!onLinux)('shows no secret in any argv', async () => {
    const spec = lab.spec(['sleep', '100'], { env: { PATH: process.env['PATH'] ?? '', 'my.secret': 'hidden-7f' } })
    const { pid } = await lab.driver.start(spec)
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain('hidden-7f')
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('hidden-7f')
  })
})

describe('the program', () => {
  it('gets its argv unchanged, without any shell', async () => {
    const argv = ['/bin/echo', '$HOME', '*', `a'b"c`, '; exit 9', '', 'ende']
    const spec = lab.spec(argv)
    await lab.driver.start(spec)
    await lab.exit(spec.id)
    const out = (await lab.lines(spec.id)).find(({ stream }) => stream === 'out')
    expect(out?.text).toBe(argv.slice(1).join(' '))
  })

  it('leads its own session and process group, in its working directory', async () => {
    writeFileSync(join(lab.dir, 'where.sh'), '#!/bin/sh\necho "$0 $(pwd) $$"; ps -o pgid= -p $$\n', { mode: 0o755 })
    const spec = lab.spec(['./where.sh'])
    const { pid } = await lab.driver.start(spec)
    await lab.exit(spec.id)
    const out = (await lab.lines(spec.id)).filter(({ stream }) => stream === 'out').map(({ text }) => text.trim())
    expect(out).toEqual([`./where.sh ${lab.dir} ${pid}`, String(pid)])
  })

  it('can open /dev/stdout and /dev/stderr', async () => {
    const spec = lab.spec(['/bin/sh', '-c', 'echo one > /dev/stdout; echo two > /dev/stderr'])
    await lab.driver.start(spec)
    await lab.exit(spec.id)
    const lines = (await lab.lines(spec.id)).map(({ stream, text }) => `${stream} ${text}`)
    expect(lines).toEqual(expect.arrayContaining(['out one', 'err two']))
  })

  it.skipIf(process.getuid?.() !== 0)('runs as another user if configured (skipped: not root)', async () => {
    await lab.close()
    lab = openProcessLab({ runAs: { uid: 65_534, gid: 65_534 } })
    const spec = lab.spec(['/bin/sh', '-c', 'id -u; id -g; echo again > /dev/stdout'], { cwd: '/' })
    await lab.driver.start(spec)
    await lab.exit(spec.id)
    const out = (await lab.lines(spec.id)).filter(({ stream }) => stream === 'out').map(({ text }) => text)
    expect(out).toEqual(['65534', '65534', 'again'])
  })

  it('that only the kernel finds not executable is rejected with the reason, and leaves nothing', async () => {
    // The interpreter exists, but only the kernel finds that it cannot be executed.
    writeFileSync(join(lab.dir, 'odd'), '#!/etc/passwd\n', { mode: 0o755 })
    const oddities: Record<string, string>[] = [{}, { 'by.node': 'gate' }]
    for (const odd of oddities) {
      const spec = lab.spec(['./odd'], { env: { PATH: '/usr/bin:/bin', ...odd } })
      await expect(lab.driver.start(spec)).rejects.toMatchObject({ code: 'E_EXEC' })
    }
    expect(readdirSync(join(lab.dir, 'instances'))).toEqual([])
    expect(readdirSync(join(lab.dir, 'streams'), { recursive: true })).toHaveLength(1) // its own folder, empty
  })

  it('that fails at once with status 127 counts as executed', async () => {
    const spec = lab.spec(['/bin/sh', '-c', 'exit 127'])
    await lab.driver.start(spec)
    expect(await lab.exit(spec.id)).toMatchObject({ code: 127, reason: 'exit' })
  })

  it('reports a signal that ended it', async () => {
    const spec = lab.spec(['/bin/sh', '-c', 'kill -USR1 $$'])
    await lab.driver.start(spec)
    expect(await lab.exit(spec.id)).toMatchObject({ code: null, signal: 'SIGUSR1', asked: false, reason: 'signal' })
  })
})

describe('ending', () => {
  const family = `sleep 1000 & echo group $!; setsid sleep 1000 & echo session $!; `
  const relatives = async (id: string): Promise<number[]> => {
    const words = [await lab.printed(id, /^group/), await lab.printed(id, /^session/)]
    return words.map((text) => Number(text.split(' ')[1]))
  }

  it.skipIf(!onLinux)('stops every process it started, also one in its own session', async () => {
    const spec = lab.spec(['/bin/sh', '-c', `${family} wait`])
    await lab.driver.start(spec)
    const pids = await relatives(spec.id)
    await lab.driver.stop(spec.id)
    expect(await stillRunning(pids)).toEqual([])
    expect(existsSync(join(lab.dir, 'instances', `${spec.id}.json`))).toBe(false)
  })

  it.skipIf(!onLinux)('stops the remaining processes when its first process ends on its own', async () => {
    const spec = lab.spec(['/bin/sh', '-c', `${family} exit 0`])
    await lab.driver.start(spec)
    const pids = await relatives(spec.id)
    await lab.exit(spec.id)
    expect(await stillRunning(pids)).toEqual([])
  })

  it('waits for the whole group within the grace, not only for the first process', async () => {
    // The first process ends at once; its child finishes 300 ms later.
    const worker = `trap 'sleep 0.3; echo finished; exit' TERM; echo ready; while :; do sleep 0.05; done`
    const spec = lab.spec(['/bin/sh', '-c', `/bin/sh -c "$0" & wait`, worker])
    await lab.driver.start(spec)
    await lab.printed(spec.id, /ready/)
    await lab.driver.stop(spec.id)
    expect((await lab.lines(spec.id)).map(({ text }) => text)).toContain('finished')
    expect(lab.exits).toHaveLength(1)
  })

  it('keeps a grace that is longer than the maximum of a timer', async () => {
    const script = `trap 'sleep 0.3; echo finished; exit 0' TERM; echo ready; while :; do sleep 0.05; done`
    const spec = lab.spec(['/bin/sh', '-c', script], { stop: { signal: 'SIGTERM', withinMs: 2 ** 31 + 5000 } })
    await lab.driver.start(spec)
    await lab.printed(spec.id, /ready/)
    await lab.driver.stop(spec.id)
    expect(lab.exits).toMatchObject([{ code: 0, signal: null, reason: 'stopped' }])
    expect((await lab.lines(spec.id)).map(({ text }) => text)).toContain('finished')
  })

  it('during the start stops the instance as soon as it has started', async () => {
    const spec = lab.spec(['sleep', '1000'])
    const started = lab.driver.start(spec)
    await lab.driver.stop(spec.id)
    const { pid } = await started
    expect(await stillRunning([pid])).toEqual([])
  })
})

describe('the owner of a socket', () => {
  const listen = `
    const { createServer } = require('node:net')
    createServer().listen(Number(process.env.PORT), process.env.HOST, function () { console.log('port', this.address().port) })`

  it('is found for a child that listens, on IPv4 and IPv6', async () => {
    for (const HOST of ['127.0.0.1', '::']) {
      const spec = lab.spec(['/bin/sh', '-c', `"$0" -e "$1" & wait`, process.execPath, listen])
      await lab.driver.start({ ...spec, env: { ...spec.env, HOST, PORT: '0' } })
      const port = Number((await lab.printed(spec.id, /^port/)).split(' ')[1])
      expect(await lab.driver.ownsSocket(spec.id, port)).toBe(true)
      const owner = await lab.driver.whoOwns(port)
      expect(owner?.command).toContain('createServer')
    }
  })

  it('is not the instance when another process listens there', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const spec = lab.spec(['sleep', '1000'])
    await lab.driver.start(spec)
    expect(await lab.driver.ownsSocket(spec.id, port)).toBe(false)
    expect(await lab.driver.whoOwns(port)).toMatchObject({ pid: process.pid })
    server.close()
  })

  it.skipIf(!onLinux)('is found among 300 processes: the first process or a child of it', async () => {
    const sleepers = `for i in $(seq 300); do sleep 1000 & done;`
    for (const crowd of [`${sleepers} exec "$0" -e "$1"`, `${sleepers} "$0" -e "$1"; exit`]) {
      const spec = lab.spec(['/bin/sh', '-c', crowd, process.execPath, listen])
      await lab.driver.start({ ...spec, env: { ...spec.env, HOST: '127.0.0.1', PORT: '0' } })
      const port = Number((await lab.printed(spec.id, /^port/)).split(' ')[1])
      expect(await lab.driver.ownsSocket(spec.id, port)).toBe(true)
      await lab.driver.stop(spec.id)
    }
  })
})
