import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Status } from '../../src/api/views.ts'
import { freePorts } from './laptop.ts'
import { line, web } from './rollUnderLoad.ts'
import { newUser } from './user.ts'

const root = join(import.meta.dirname, '../..')
const onLinux = process.platform === 'linux'

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

it.skipIf(!onLinux)(
  'services of a cluster have the same local port, each at its own address, and no other address reaches it',
  { timeout: 60_000 },
  async () => {
    const { folder, tandem, part } = newUser()
    const port = await freePorts(5)
    const [controller, agent] = [join(folder, 'controller'), join(folder, 'agent')]
    const here = ['--data', controller, '--port', String(port)]
    await tandem('controller', 'init', '--cluster', 'shop', '--address', '127.0.0.1', '--no-start', ...here)
    await part('the controller listens', 'controller', 'run', '--cluster', 'shop', '--host', '127.0.0.1', ...here)
    writeFileSync(
      join(folder, 'cluster.yaml'),
      `cluster: shop\ncontrollers: [127.0.0.1:${port}]\nmachines: { a: { address: 127.0.0.1 } }\nentry: { http: ${port + 1} }\n` +
        'drivers: { supervisor: process, balancer: embedded, address: none }\n',
    )
    expect(await tandem('cluster', 'apply', join(folder, 'cluster.yaml'))).toMatchObject({ exit: 0 })
    const { token, pin } = await tandem('machine', 'add', 'a')
    const with_ = ['--token', String(token), '--pin', String(pin), '--data', agent, '--no-start']
    expect(await tandem('agent', 'join', `127.0.0.1:${port}`, ...with_)).toMatchObject({ exit: 0 })
    const ports = ['--forward-port', String(port + 2), '--metrics-port', String(port + 3)]
    await part('connected to the controller', 'agent', 'run', '--data', agent, ...ports)

    const push = async (name: string, text: string, program: string) => {
      const at = join(folder, name)
      mkdirSync(at)
      cpSync(join(root, 'test/services', program), join(at, program))
      cpSync(join(root, 'node_modules/ws'), join(at, 'node_modules/ws'), { recursive: true })
      writeFileSync(join(at, '.tandemignore'), '')
      writeFileSync(join(at, 'tandem.yaml'), text)
      expect(await tandem('push', at)).toMatchObject({ exit: 0 })
    }
    const own = port + 4
    const unsaid = `routes: [{ port: ${own} }]\n`
    await push('queue', line({ name: 'queue', version: '1', more: unsaid }), 'line.mjs')
    await push('redis-cache', line({ name: 'redis-cache', version: '2', more: unsaid }), 'line.mjs')
    const local = `routes: [{ path: / }, { port: ${own}, expose: local }]\n`
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
    expect((await fetch(`http://127.0.0.1:${port + 1}/`)).status).toBe(200)
    expect(await say('127.0.0.1', own)).toBe('ECONNREFUSED')
  },
)
