import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Status } from '../../src/api/views.ts'
import type { Checkup } from '../../src/protocol/checkup.ts'
import { line, type Pushed } from '../system/rollUnderLoad.ts'
import type { LabMachine } from './labMachine.ts'
import { entryPort, tcpPort, type Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'
import type { UpgradedPair } from './upgradedPair.ts'

const services = Array.from({ length: 10 }, (_, index) => ({ name: `port-${index}`, port: 6_000 + index }))
const [open, closed] = [services.slice(0, 2), services.slice(2)]
const forwardPort = 7_481
/** The installed program is that of the previous build. */
const newProgram = '/media/packages/new/bin/tandem'
const whyNot = 'this clone does not hold the commit of the previous build'
/** Ports of the machine that answer from outside, with those of some services; a service of the pair has `tcpPort`. */
const openPorts = (some: { port: number }[]): number[] => [
  entryPort,
  tcpPort,
  ...some.map(({ port }) => port),
  forwardPort,
]

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

/** The pair runs a build that published tcp ports to everybody by default; at the end, this checkout. */
export const exposeSuite = (lend: () => Promise<UpgradedPair>): void => {
  describe('tcp ports of the version before expose', () => {
    let upgraded: UpgradedPair
    let pair: Pair
    let ports: Ports
    let hasPrevious = false
    beforeAll(async () => {
      upgraded = await lend()
      ;({ pair, hasPrevious } = upgraded)
      ports = new Ports(upgraded)
    }, bootMs)
    afterAll(async () => {
      for (const { service } of (await pair.status()).services)
        if (service === 'leaky' || services.some(({ name }) => name === service)) await pair.remove(service)
    })

    it('stay open when both machines are upgraded, and status names each of them', async ({ skip }) => {
      skip(!hasPrevious, whyNot)
      await Promise.all(
        services.map(({ name, port }) => pair.roll(name, definition(name, '1', `{ port: ${port} }`), 'line.mjs')),
      )
      for (const { port } of services) expect(await ports.heard(port)).toEqual(['1 hello', '1 hello'])
      expect(await ports.scanned()).toEqual([openPorts(services), openPorts(services)])
      expect((await upgraded.upgrade('new')).exit).toBe(0)
      for (const { port } of services) expect(await ports.heard(port)).toEqual(['1 hello', '1 hello'])
      const { services: known } = await ports.tandem<Status>('status')
      for (const { name, port } of services) {
        const access = known.find(({ service }) => service === name)?.access
        expect(access).toEqual([
          { route: `:${port}`, expose: 'public', carries: 'tcp', port, address: null, unsaid: true },
        ])
      }
      const { out } = await pair.controller.run([newProgram, 'status'])
      const findings = await ports.doctorSays()
      for (const { name, port } of services) {
        const said = `${name}: tcp port ${port} is open to everybody, but its release does not declare that`
        expect(out).toContain(`${said}; write expose: local or expose: public`)
        expect(findings).toContain(said)
      }
      const { exit, err } = await ports.tandem('restart', 'port-0')
      expect([exit, err]).toEqual([0, expect.stringContaining('port-0: tcp port 6000 is open to everybody')])
    })

    it('are not closed by a push without `expose`', async ({ skip }) => {
      skip(!hasPrevious, whyNot)
      ports.write('port-5', '2', '{ port: 6005 }')
      expect(await ports.push('port-5')).toMatchObject({
        exit: 4,
        error: {
          code: 'E_EXPOSE_UNSAID',
          message: expect.stringContaining('tcp port 6005'),
          next: expect.stringContaining('{ port: 6005, expose: local }'),
        },
      })
      expect(await ports.heard(6005)).toEqual(['1 hello', '1 hello'])
    })

    it('published again, only the public ones and those of Tandem that the docs list are open', async ({ skip }) => {
      skip(!hasPrevious, whyNot)
      for (const { name, port } of open) ports.write(name, '2', `{ port: ${port}, expose: public }`)
      // Two services with the same port do not collide.
      for (const { name } of closed) ports.write(name, '2', '{ port: 6379, expose: local }')
      const pushed = await Promise.all(services.map(({ name }) => ports.push(name)))
      expect(pushed.map(({ exit, error, rollout }) => [exit, error ?? rollout?.reason])).toEqual(
        services.map(() => [0, null]),
      )
      await expect.poll(() => ports.scanned()).toEqual([openPorts(open), openPorts(open)])
      for (const { port } of open) expect(await ports.heard(port)).toEqual(['2 hello', '2 hello'])
      const stillOpen = (await ports.doctorSays()).filter((what) => what.includes('open to everybody'))
      // The service of the pair was not published again.
      expect(stillOpen.filter((what) => !what.startsWith('line: '))).toEqual([])
    })

    it('that are local can be reached from each machine, on whichever machine the service runs', async ({ skip }) => {
      skip(!hasPrevious, whyNot)
      ports.write('port-9', '3', '{ port: 6379, expose: local }', 'machines: [b]\n')
      expect(await ports.push('port-9')).toMatchObject({ exit: 0, rollout: { reason: null } })
      const { services: known } = await ports.tandem<Status>('status')
      const addresses = closed.map(
        ({ name }) => known.find(({ service }) => service === name)?.access?.[0]?.address ?? '',
      )
      expect(new Set(addresses).size).toBe(closed.length)
      for (const [index, address] of addresses.entries()) {
        expect(address).toMatch(/^127\.77\./)
        for (const machine of ports.machines) {
          const answer = await machine.must(['/usr/local/bin/node', '-e', say, address, '6379'])
          expect(answer.trim()).toBe(closed[index]?.name === 'port-9' ? '3 hello' : '2 hello')
        }
      }
    })

    it('are named by doctor if the program itself listens on all addresses', async ({ skip }) => {
      skip(!hasPrevious, whyNot)
      const folder = '/srv/services/leaky'
      pair.controller.write(`${folder}/leaking.cjs`, leaking)
      const text = 'service: leaky\nrun: [node, leaking.cjs]\nlisten: tcp\nroutes: [{ port: 6500 }]\nmachines: [a]\n'
      pair.controller.write(`${folder}/tandem.yaml`, text)
      expect(await ports.push('leaky')).toMatchObject({ exit: 0, rollout: { reason: null } })
      const found = (await ports.doctorSays()).filter((what) => what.includes('9999'))
      expect(found).toEqual([expect.stringMatching(/^leaky-\S+-a-1 listens on port 9999 at 0\.0\.0\.0/)])
      expect((await ports.scanned())[0]).toContain(9_999)
    })
  })
}

const definition = (name: string, version: string, routes: string, more = ''): string =>
  line({ name, version, drain: 200, more: `routes: [${routes}]\n${more}` })

/** The tcp services of a pair, and its ports as seen from outside. */
class Ports {
  readonly machines: readonly LabMachine[]
  readonly #pair: Pair

  constructor({ pair, serving }: UpgradedPair) {
    this.#pair = pair
    this.machines = serving
  }

  /** Runs a command of the new version. */
  tandem<T>(...args: string[]): Promise<T & { exit: number; err: string }> {
    return this.#pair.tandemOf<T>(newProgram, args)
  }

  write(name: string, version: string, routes: string, more = ''): void {
    this.#pair.controller.write(`/srv/services/${name}/tandem.yaml`, definition(name, version, routes, more))
  }

  push(name: string) {
    return this.tandem<Partial<Pushed> & Refused>('push', `/srv/services/${name}`)
  }

  /** The answer at a port of each machine, requested from outside. */
  heard(port: number): Promise<string[]> {
    const { client } = this.#pair.lab
    const asked = this.machines.map(({ address }) => client.must([process.execPath, '-e', say, address, String(port)]))
    return Promise.all(asked.map(async (answer) => (await answer).trim()))
  }

  /** Ports of each machine that answer from outside. */
  scanned(): Promise<number[][]> {
    const { client } = this.#pair.lab
    const limit = { timeoutMs: 120_000 }
    const said = this.machines.map(({ address }) => client.must([process.execPath, '-e', scan, address], limit))
    return Promise.all(said.map(async (one) => JSON.parse(await one) as number[]))
  }

  async doctorSays(): Promise<string[]> {
    const doctor = [newProgram, 'doctor', '--cluster', '--json']
    const { out } = await this.#pair.controller.run(doctor, { timeoutMs: 60_000 })
    const { machines } = JSON.parse(out) as { machines: Checkup[] } // as docs/commands.md has it
    return machines.flatMap(({ findings }) => findings.map(({ what }) => what))
  }
}

interface Refused {
  error?: { code: string; message: string; next: string }
}
