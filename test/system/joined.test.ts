import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { ChildProcess } from 'node:child_process'
import type { Status } from '../../src/api/views.ts'
import { writeNames } from '../../src/drivers/names/hostsFile.ts'
import { hostsPath } from '../../src/layout/names.ts'
import { freePorts } from './laptop.ts'
import { line, web } from './rollUnderLoad.ts'
import { inOrder } from './steps.ts'
import { newUser } from './user.ts'

const root = join(import.meta.dirname, '../..')

/** A cluster with an authority, as on servers: every message between its parts goes over TLS. */
describe('a cluster that a person founds, and its machine', () => {
  const step = inOrder()
  const [founder, second] = [newUser(), newUser()]
  const { folder, tandem, part } = founder
  const [controller, agent] = [join(folder, 'controller'), join(folder, 'agent')]
  const file = join(folder, 'cluster.yaml')
  let port = 0
  let invite = ''
  let first: ChildProcess
  const runAgent = (): string[] => {
    const ports = ['--forward-port', String(port + 2), '--metrics-port', String(port + 3)]
    return ['agent', 'run', '--data', agent, ...ports]
  }
  /** The cluster file, with this port for requests. */
  const describeCluster = (entry: number): void =>
    writeFileSync(
      file,
      `cluster: shop\ncontrollers: [127.0.0.1:${port}]\nmachines: { a: { address: 127.0.0.1 } }\nentry: { http: ${entry} }\n` +
        'drivers: { supervisor: process, balancer: embedded, address: none }\n',
    )

  beforeAll(async () => {
    port = await freePorts(6)
  })
  afterAll(async () => {
    await founder.remove()
    await second.remove()
    // An agent of root wrote the names of its services there.
    if (process.getuid?.() === 0) writeNames(hostsPath, [])
  })

  step('is founded once, takes its cluster file, and invites only machines of it', async () => {
    const address = ['--address', '127.0.0.1', '--port', String(port)]
    const founding = ['controller', 'init', '--cluster', 'shop', '--data', controller, '--no-start', ...address]
    const founded = await tandem(...founding)
    expect(founded).toMatchObject({ exit: 0, context: 'shop', controller: `https://127.0.0.1:${port}` })
    invite = String(founded['invite'])
    expect(await tandem(...founding)).toMatchObject({ exit: 2, error: { code: 'E_USAGE' } })
    const where = ['--cluster', 'shop', '--data', controller, '--host', '127.0.0.1', '--port', String(port)]
    await part('the controller listens', 'controller', 'run', ...where)
    expect(existsSync(join(controller, 'admit.json'))).toBe(false)

    describeCluster(port + 1)
    expect(await tandem('cluster', 'plan', file)).toMatchObject({
      changes: [{ kind: 'add', what: 'machine a' }, { what: 'controllers' }, { what: 'entry' }, { what: 'firewall' }],
    })
    expect(await tandem('machine', 'add', 'a')).toMatchObject({ exit: 4, error: { code: 'E_NO_SUCH_MACHINE' } })
    expect(await tandem('cluster', 'apply', file)).toMatchObject({ exit: 0 })
  })

  step('lets the machine join by the printed token and fingerprint, and serve what is pushed', async () => {
    const { token, pin } = await tandem('machine', 'add', 'a')
    const joining = (by: string) =>
      tandem(
        ...['agent', 'join', `127.0.0.1:${port}`, '--token', String(token), '--pin', by, '--data', agent, '--no-start'],
      )
    expect(await joining('0'.repeat(64))).toMatchObject({ exit: 4, error: { code: 'E_JOIN_REFUSED' } })
    expect(await joining(String(pin))).toMatchObject({ exit: 0, machine: 'a', cluster: 'shop' })
    first = await part('connected to the controller', ...runAgent())
    expect(await tandem('push', join(root, 'examples/node'))).toMatchObject({ exit: 0 })
    expect((await fetch(`http://127.0.0.1:${port + 1}`)).status).toBe(200)
  })

  step('is used from a second computer by the printed command', async () => {
    const printed = await founder.paste('tandem context show shop --invite')
    expect(printed).toMatchObject({ exit: 0, out: `${invite}\n` })
    expect(printed.err).toContain('anyone who has this command has all permissions of this context')
    expect(await second.paste(printed.out.trim())).toMatchObject({
      ...{ exit: 0, err: '' },
      out: `saved context shop: https://127.0.0.1:${port}, cluster shop; it is now the current context\n`,
    })
    expect(await second.tandem('status')).toMatchObject({ exit: 0, cluster: 'shop' })
  })

  step(
    'gives the same local port to several services, each at its own address, which no other address reaches',
    async () => {
      if (process.platform !== 'linux') return
      const own = port + 4
      const push = async (name: string, text: string, program: string): Promise<void> => {
        const at = join(folder, name)
        mkdirSync(at)
        cpSync(join(root, 'test/services', program), join(at, program))
        cpSync(join(root, 'node_modules/ws'), join(at, 'node_modules/ws'), { recursive: true })
        writeFileSync(join(at, '.tandemignore'), '')
        writeFileSync(join(at, 'tandem.yaml'), text)
        expect(await tandem('push', at)).toMatchObject({ exit: 0 })
      }
      const unsaid = `routes: [{ port: ${own} }]\n`
      await push('queue', line({ name: 'queue', version: '1', more: unsaid }), 'line.mjs')
      await push('redis-cache', line({ name: 'redis-cache', version: '2', more: unsaid }), 'line.mjs')
      const local = `routes: [{ host: web.example }, { port: ${own}, expose: local }]\n`
      await push('web', web({ name: 'web', version: '3', more: local }), 'web.mjs')
      const { services } = (await tandem('status')) as unknown as Status // the documented type
      const at = (name: string): string =>
        services.find(({ service }) => service === name)?.access?.find((one) => one.port === own)?.address ?? ''
      const addresses = ['queue', 'redis-cache', 'web'].map(at)
      expect(addresses.filter((address) => address.startsWith('127.77.'))).toHaveLength(3)
      expect(new Set(addresses).size).toBe(3)
      expect(await say(at('queue'), own)).toBe('1 hello')
      expect(await say(at('redis-cache'), own)).toBe('2 hello')
      expect(await (await fetch(`http://${at('web')}:${own}/`)).text()).toContain('3')
      expect(await say('127.0.0.1', own)).toBe('ECONNREFUSED')
    },
  )

  step('restarts its agent for changed settings, and serves at the new port', async () => {
    describeCluster(port + 5)
    const ended = once(first, 'exit')
    expect(await tandem('cluster', 'apply', file)).toMatchObject({ exit: 0 })
    // systemd would restart the agent's unit, with the new settings of the cluster file.
    expect(await ended).toEqual([0, null])
    await part('connected to the controller', ...runAgent())
    await expect.poll(() => statusOf(`http://127.0.0.1:${port + 5}`)).toBe(200)
  })
})

/** Sends a line; resolves with the answer, or with the reason why there is none. */
const say = (host: string, port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.once('data', (data) => {
      resolve(String(data).trim())
      socket.destroy()
    })
    socket.write('hello\n')
  })

const statusOf = (url: string): Promise<number> =>
  fetch(url).then(
    ({ status }) => status,
    () => 0,
  )
