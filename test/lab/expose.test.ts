import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Status } from '../../src/api/views.ts'
import type { Checkup } from '../../src/protocol/checkup.ts'
import { line, type Pushed } from '../system/rollUnderLoad.ts'
import { entryPort, Pair } from './pair.ts'
import { hasCommit } from './previousBuild.ts'
import { whyNoLab } from './requirements.ts'
import { Workshop } from './workshop.ts'

/** A build that published tcp ports to everybody by default. */
const beforeExpose = '1cc90836c990992842991b8b5a41703f42b9b82f'
const bootMs = 700_000
const long = { timeout: 300_000 }
const why = whyNoLab()
const services = Array.from({ length: 10 }, (_, index) => ({ name: `line-${index}`, port: 6_000 + index }))
const [open, closed] = [services.slice(0, 2), services.slice(2)]
const forwardPort = 7_481
const newProgram = '/media/packages/new/bin/tandem'

/** Connects from `client` to every port of the given host; prints the ports that answer. */
const scan = `
const { connect } = require('node:net')
const found = []
let next = 1
const look = () => {
  if (next > 65535) return
  const port = next++
  const socket = connect({ port, host: process.argv[1] })
  socket.once('connect', () => { found.push(port); socket.destroy() })
  socket.once('error', () => socket.destroy())
  socket.once('close', look)
}
for (let at = 0; at < 200; at++) look()
process.on('exit', () => console.log(JSON.stringify(found.sort((a, b) => a - b))))
`
/** Sends a line to HOST PORT, and prints the answer. */
const say = `
const socket = require('node:net').connect({ port: Number(process.argv[2]), host: process.argv[1] })
socket.setTimeout(5000, () => socket.destroy(new Error('silent')))
socket.on('error', (error) => console.log(error.code ?? error.message))
socket.once('data', (data) => { console.log(String(data).trim()); socket.destroy() })
socket.write('hello\\n')
`
/** Listens correctly on its port, and on all addresses on another port. */
const leaking = `
const { createServer } = require('node:net')
createServer((socket) => socket.pipe(socket)).listen(Number(process.env.PORT), process.env.HOST)
createServer((socket) => socket.end('leak')).listen(9999, '0.0.0.0')
`

describe.skipIf(why)(`tcp ports of the version before expose${why ? ` (skipped: ${why})` : ''}`, () => {
  const workshop = new Workshop('expose')
  let pair: Pair
  let isHere = false
  beforeAll(async () => {
    isHere = await hasCommit(beforeExpose)
    if (!isHere) return
    const debianPackage = await workshop.add({ commit: beforeExpose, version: '0.1.0' })
    await workshop.add({ version: '0.2.0' }, 'new')
    const drivers = '{ supervisor: systemd, balancer: haproxy, address: none }'
    pair = await Pair.open({ debianPackage, drivers })
  }, bootMs)
  afterAll(async () => {
    await pair?.close()
    workshop.close()
  })

  /** Runs a command of the new version; returns the last line of its output. */
  async function tandem<T>(...args: string[]): Promise<T & { exit: number; err: string }> {
    const { code, out, err } = await pair.controller.run([newProgram, ...args, '--json'], { timeoutMs: 120_000 })
    return { ...(JSON.parse(out.trim().split('\n').at(-1) ?? 'null') as T), exit: code, err } // documented
  }
  const definition = (name: string, version: string, routes: string): string =>
    line({ name, version, drain: 200, more: `routes: [${routes}]\n` })
  const write = (name: string, version: string, routes: string): void =>
    pair.controller.write(`/srv/services/${name}/tandem.yaml`, definition(name, version, routes))
  const push = (name: string) => tandem<Partial<Pushed> & Refused>('push', `/srv/services/${name}`)
  const machines = () => ['a', 'b'].map((name) => pair.lab.machine(name))

  /** The answer at a port of each machine, requested from outside. */
  const heard = async (port: number): Promise<string[]> =>
    Promise.all(
      machines().map(async ({ address }) =>
        (await pair.lab.client.must([process.execPath, '-e', say, address, String(port)])).trim(),
      ),
    )
  /** Ports of each machine that answer from outside. */
  const scanned = (): Promise<number[][]> =>
    Promise.all(
      machines().map(
        async ({ address }) =>
          JSON.parse(
            await pair.lab.client.must([process.execPath, '-e', scan, address], { timeoutMs: 120_000 }),
          ) as number[],
      ),
    )
  async function doctorSays(): Promise<string[]> {
    const { out } = await pair.controller.run([newProgram, 'doctor', '--cluster', '--json'], { timeoutMs: 60_000 })
    const { machines: checkups } = JSON.parse(out) as { machines: Checkup[] } // as docs/commands.md has it
    return checkups.flatMap(({ findings }) => findings.map(({ what }) => what))
  }

  it('stay open when both machines are upgraded, and status names each of them', long, async ({ skip }) => {
    skip(!isHere, 'this clone does not hold the commit before')
    await Promise.all(
      services.map(({ name, port }) => pair.roll(name, definition(name, '1', `{ port: ${port} }`), 'line.mjs')),
    )
    for (const { port } of services) expect(await heard(port)).toEqual(['1 hello', '1 hello'])
    const everyPort = [entryPort, ...services.map(({ port }) => port), forwardPort]
    expect(await scanned()).toEqual(machines().map(() => everyPort))
    expect((await pair.tandem('upgrade', '/media/packages/new')).exit).toBe(0)
    for (const { port } of services) expect(await heard(port)).toEqual(['1 hello', '1 hello'])

    const { services: known } = await tandem<Status>('status')
    for (const { name, port } of services) {
      const access = known.find(({ service }) => service === name)?.access
      expect(access).toEqual([
        { route: `:${port}`, expose: 'public', carries: 'tcp', port, address: null, unsaid: true },
      ])
    }
    const { out } = await pair.controller.run([newProgram, 'status'])
    const findings = await doctorSays()
    for (const { name, port } of services) {
      const said = `${name}: tcp port ${port} is open to everybody, but its release does not declare that`
      expect(out).toContain(`${said}; write expose: local or expose: public`)
      expect(findings).toContain(said)
    }
    const { exit, err } = await tandem('restart', 'line-0')
    expect([exit, err]).toEqual([0, expect.stringContaining('line-0: tcp port 6000 is open to everybody')])
  })

  it('are not closed by a push without `expose`', long, async ({ skip }) => {
    skip(!isHere, 'this clone does not hold the commit before')
    write('line-5', '2', '{ port: 6005 }')
    const refused = await push('line-5')
    expect(refused).toMatchObject({
      exit: 4,
      error: {
        code: 'E_EXPOSE_UNSAID',
        message: expect.stringContaining('tcp port 6005'),
        next: expect.stringContaining('{ port: 6005, expose: local }'),
      },
    })
    expect(await heard(6005)).toEqual(['1 hello', '1 hello'])
  })

  it(
    'published again, only the public ones and those of Tandem that the docs list are open',
    long,
    async ({ skip }) => {
      skip(!isHere, 'this clone does not hold the commit before')
      for (const { name, port } of open) write(name, '2', `{ port: ${port}, expose: public }`)
      // Two services with the same port do not collide.
      for (const { name } of closed) write(name, '2', '{ port: 6379, expose: local }')
      const pushed = await Promise.all(services.map(({ name }) => push(name)))
      expect(pushed.map(({ exit, error, rollout }) => [exit, error ?? rollout?.reason])).toEqual(
        services.map(() => [0, null]),
      )
      await expect
        .poll(scanned, { timeout: 60_000 })
        .toEqual(machines().map(() => [entryPort, ...open.map(({ port }) => port), forwardPort]))
      for (const { port } of open) expect(await heard(port)).toEqual(['2 hello', '2 hello'])
      expect((await doctorSays()).filter((what) => what.includes('open to everybody'))).toEqual([])
    },
  )

  it(
    'that are local can be reached from each machine, on whichever machine the service runs',
    long,
    async ({ skip }) => {
      skip(!isHere, 'this clone does not hold the commit before')
      const only = line({
        name: 'line-9',
        version: '3',
        drain: 200,
        more: 'machines: [b]\nroutes: [{ port: 6379, expose: local }]\n',
      })
      pair.controller.write('/srv/services/line-9/tandem.yaml', only)
      expect(await push('line-9')).toMatchObject({ exit: 0, rollout: { reason: null } })
      const { services: known } = await tandem<Status>('status')
      const addresses = closed.map(
        ({ name }) => known.find(({ service }) => service === name)?.access?.[0]?.address ?? '',
      )
      expect(new Set(addresses).size).toBe(closed.length)
      for (const [index, address] of addresses.entries()) {
        expect(address).toMatch(/^127\.77\./)
        for (const machine of machines()) {
          const answer = await machine.must(['/usr/local/bin/node', '-e', say, address, '6379'])
          expect(answer.trim()).toBe(closed[index]?.name === 'line-9' ? '3 hello' : '2 hello')
        }
      }
    },
  )

  it('are named by doctor if the program itself listens on all addresses', long, async ({ skip }) => {
    skip(!isHere, 'this clone does not hold the commit before')
    const folder = '/srv/services/leaky'
    pair.controller.write(`${folder}/leaking.cjs`, leaking)
    const text = 'service: leaky\nrun: [node, leaking.cjs]\nlisten: tcp\nroutes: [{ port: 6500 }]\nmachines: [a]\n'
    pair.controller.write(`${folder}/tandem.yaml`, text)
    expect(await push('leaky')).toMatchObject({ exit: 0, rollout: { reason: null } })
    const found = (await doctorSays()).filter((what) => what.includes('9999'))
    expect(found).toEqual([expect.stringMatching(/^leaky-\S+-a-1 listens on port 9999 at 0\.0\.0\.0/)])
    expect((await scanned())[0]).toContain(9_999)
  })
})

interface Refused {
  error?: { code: string; message: string; next: string }
}
