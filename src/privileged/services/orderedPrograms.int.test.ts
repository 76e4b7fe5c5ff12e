import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseDefinition } from '../../definitions/parseDefinition.ts'
import { prepareInstance } from '../../definitions/names.ts'
import { createAuthority } from '../../identity/authority.ts'
import type { Order } from '../../identity/order.ts'
import type { CommandOrder, DescribedProgram, ServiceOrder } from '../../protocol/serviceOrders.ts'
import { identityOf, performerLab } from '../testing/performerLab.ts'
import { AcceptedOrders } from './acceptedOrders.ts'

/** Acts as an agent that was taken over: it has the socket of the helper, and all orders that it ever carried. */
const lab = performerLab()
const ask = (name: string, args: unknown): Promise<unknown> => lab().ask(name, args)

const release = 'ab'.repeat(32)
const text = `
service: shop
run: ["./server", "--greeting", "\${GREETING}", "--port", "\${PORT}"]
prepare: ["./migrate", "\${GREETING}"]
health: { command: ["./check", "\${PORT}"] }
env: { PATH: "bin:\${PATH}", BACKEND: "http://\${STOCK_HOST}:\${STOCK_PORT}" }
limits: { memory: 64M }
stop: { signal: SIGINT, within: 3s }
uses: [stock]
config: { GREETING: { required: true } }
jail: { write: [/srv/files] }
`
const { definition } = parseDefinition(text, 'tandem.yaml')
const program: DescribedProgram = {
  ...{ release, definition, settings: { GREETING: 'hello $you' }, hasSecrets: false, more: {} },
  variables: { STOCK_HOST: '127.77.1.2', STOCK_PORT: '80', STOCK_URL: 'http://127.77.1.2' },
  callsServices: true,
}
const served: ServiceOrder = {
  ...{ service: 'shop', generations: { r1: program }, instances: { 'shop-r1-a-1': 'r1' }, prepare: ['r1'] },
}
const command = (over: Partial<CommandOrder> = {}): CommandOrder => ({
  ...{ id: 'shop-run-k1', service: 'shop', at: lab().now, generation: 'r1', program, instance: null },
  ...{ argv: ['./tool', '--all'], terminal: null },
  ...over,
})

type Over = Partial<Order> & { by?: Parameters<ReturnType<typeof lab>['signed']>[3] }
function carried(kind: 'service' | 'command', content: unknown, { by, ...over }: Over = {}) {
  const text = JSON.stringify(content)
  const id = kind === 'service' ? 'shop' : (content as CommandOrder).id
  return { order: lab().signed(kind, text, { id, ...over }, by), content: text }
}
const asked = (over: object = {}) => ({
  ...{ id: 'shop-r1-a-1', service: 'shop', attached: false, use: 'instance', port: 20_001 },
  order: carried('service', served),
  ...over,
})
const write = (over: object = {}) => ask('program.write', asked(over))
const refuses = (over: object, message: string) =>
  expect(write(over)).rejects.toMatchObject({ code: 'E_ORDER', message: expect.stringContaining(message) as string })
const haveRelease = () => mkdirSync(lab().at('releases', release), { recursive: true })

describe('a program of a service', () => {
  it('runs with the command, environment, jail and limits that the controller signed', async () => {
    haveRelease()
    await write()
    expect(lab().written).toEqual([
      {
        ...{ id: 'shop-r1-a-1', service: 'shop', release, cwd: lab().at('releases', release), callsServices: true },
        isSigned: true,
        argv: ['./server', '--greeting', 'hello $you', '--port', '20001'],
        env: {
          ...{ PATH: 'bin:/usr/bin:/bin', HOME: '/nonexistent', HOST: '127.0.0.1', PORT: '20001' },
          ...{ TANDEM_SERVICE: 'shop', TANDEM_RELEASE: release, TANDEM_INSTANCE: 'shop-r1-a-1', TANDEM_MACHINE: 'a' },
          ...{ TANDEM_DATA: '/var/lib/tandem-data/shop', GREETING: 'hello $you', BACKEND: 'http://127.77.1.2:80' },
          ...{ STOCK_HOST: '127.77.1.2', STOCK_PORT: '80', STOCK_URL: 'http://127.77.1.2' },
        },
        ...{ limits: definition.limits, stop: { signal: 'SIGINT', withinMs: 3_000 }, jail: { write: ['/srv/files'] } },
      },
    ])
  })

  it('prepares, is asked for its health, and runs commands and shells in the same way', async () => {
    haveRelease()
    await write({ id: prepareInstance('shop', 'r1'), use: 'prepare' })
    const health = { id: 'shop-r1-a-1.probe', use: 'health', attached: true }
    await write()
    await write(health)
    await write({ id: 'shop-run-k1', use: 'command', attached: true, order: carried('command', command()) })
    const shell = { id: 'shop-access-k2', instance: 'shop-r1-a-1', argv: null }
    const order = carried('command', command({ ...shell, terminal: { rows: 24, columns: 80, type: 'xterm' } }))
    await write({ id: shell.id, use: 'beside', attached: true, order })
    const seen = lab().written.map(({ argv, once, attached, isRepeated, beside }) => ({
      ...{ argv: argv.slice(0, 2), once, attached, isRepeated, instance: beside?.instance },
    }))
    const [beside, none] = ['shop-r1-a-1', undefined]
    expect(seen).toEqual([
      { argv: ['./migrate', 'hello $you'], once: true, attached: none, isRepeated: none, instance: none },
      { argv: ['./server', '--greeting'], once: none, attached: none, isRepeated: none, instance: none },
      { argv: ['./check', '20001'], once: true, attached: true, isRepeated: true, instance: beside },
      { argv: ['./tool', '--all'], once: true, attached: true, isRepeated: none, instance: none },
      { argv: ['script', '-qefc'], once: true, attached: true, isRepeated: none, instance: beside },
    ])
  })

  it('is not started by any other order than the newest of this controller for this machine', async () => {
    haveRelease()
    const order = (content: unknown, over: Over = {}) => ({ order: carried('service', content, over) })
    const good = asked().order
    await refuses(order(served, { machine: 'b' }), 'meant for machine b')
    await refuses(order(served, { kind: 'secrets' }), 'meant for a secrets')
    await refuses(order(served, { id: 'blog' }), 'meant for blog')
    await refuses(order({ ...served, service: 'blog' }), 'meant for shop')
    await refuses(order(served, { by: await identityOf(lab().authority, 'machine') }), 'belongs to a machine')
    const foreign = await identityOf(await createAuthority('shop', Date.now()), 'controller')
    await refuses(order(served, { by: foreign }), 'was not issued by this cluster')
    const swapped = good.content.replace('./server', '/bin/sh')
    await refuses({ order: { ...good, content: swapped } }, 'meant for another content')
    await refuses({ service: 'blog' }, 'meant for shop')
    await refuses({ id: 'shop-r1-a-2' }, 'names no instance shop-r1-a-2')
    await refuses({ use: 'prepare' }, 'names no instance')
    await refuses({ use: 'health', id: 'shop-r9-a-1.probe' }, 'names no instance shop-r9-a-1')
    await refuses({ use: 'health', attached: true }, 'is not the id of a health command')
    await refuses({ attached: true }, 'nobody owns the input')
    await refuses({ use: 'prepare', id: prepareInstance('shop', 'r1'), attached: true }, 'nobody owns the input')
    const other = { ...definition, service: 'blog' }
    await refuses(order({ ...served, generations: { r1: { ...program, definition: other } } }), 'is that of blog')
    expect(lab().written).toEqual([])

    await write()
    await write()
    await write(order(served, { position: 11 }))
    await refuses({ order: good }, 'already obeyed a later order')
    await write(order(served, { term: 2, position: 3 }))
    await refuses(order(served, { position: 99 }), 'already obeyed a later order')
  })

  it('is started after a loss of power that damaged the positions, and not while they cannot be read', async () => {
    haveRelease()
    const file = join(lab().parts.folder.path, 'service-orders.json')
    symlinkSync(file, file)
    await expect(write()).rejects.toThrow('ELOOP')
    expect(lab().written).toEqual([])
    unlinkSync(file)
    writeFileSync(file, '{"services":{"sh')
    await write()
    expect(lab().written).toHaveLength(1)
  })

  it.each([
    [80, 'port 80 is not between'],
    [40_000, 'port 40000 is not between'],
    [null, 'its port is missing'],
  ])('gets no port outside the range of instances: %s', async (port, message) => {
    haveRelease()
    await refuses({ port }, message)
    expect(lab().written).toEqual([])
  })

  it('is asked for its health at its own port, whichever the agent names', async () => {
    haveRelease()
    await write()
    await write({ id: 'shop-r1-a-1.probe', use: 'health', attached: true, port: 20_777 })
    expect(lab().written.at(-1)?.argv).toEqual(['./check', '20001'])
  })

  it('needs its release, as the helper itself has made it', async () => {
    await expect(write()).rejects.toMatchObject({ code: 'E_RELEASE_GONE' })
  })

  it('takes nothing else from the agent', async () => {
    haveRelease()
    for (const more of [{ argv: ['sh'] }, { env: {} }, { cwd: '/' }, { stop: { signal: 'SIGUSR1' } }, { use: 'shell' }])
      await expect(write(more)).rejects.toThrow('invalid arguments')
  })

  it('starts without a signed order only until the first one came', async () => {
    haveRelease()
    const { limits, stop } = definition
    const spec = { ...{ id: 'shop-r0-a-1', service: 'shop', release, argv: ['sh'], env: {} }, limits, stop }
    await ask('unit.write', { spec })
    await write()
    await expect(ask('unit.write', { spec })).rejects.toMatchObject({ code: 'E_ORDER' })
    expect(lab().written).toHaveLength(2)
    // In the middle of an upgrade, the agent may be an older one, which passes no order on.
    lab().isAgentOld = true
    await ask('unit.write', { spec })
    expect(lab().written).toHaveLength(3)
    // Such an agent knows no secrets.
    const secrets = { generation: 'r1' }
    await expect(ask('unit.write', { spec: { ...spec, secrets } })).rejects.toMatchObject({ code: 'E_ORDER' })
  })

  it('needs a signed order from the start, if the controller said at joining that it signs', async () => {
    haveRelease()
    const { limits, stop } = definition
    const spec = { ...{ id: 'shop-r0-a-1', service: 'shop', release, argv: ['sh'], env: {} }, limits, stop }
    const { folder, now } = lab().parts
    await ask('unit.write', { spec })
    new AcceptedOrders({ folder, now }).demand()
    await expect(ask('unit.write', { spec })).rejects.toMatchObject({ code: 'E_ORDER' })
    const start = (id: string) => ask('unit.start', { unit: `tandem-${id}.service`, timeoutMs: 1_000 })
    // Also the unit that was written before: later secrets of the service are not for it.
    await expect(start(spec.id)).rejects.toMatchObject({ code: 'E_ORDER' })
    await write()
    expect(await start('shop-r1-a-1')).toBeNull()
    new AcceptedOrders({ folder, now }).demand()
    await refuses({ order: carried('service', served, { position: 1 }) }, 'already obeyed a later order')
  })
})

describe('a command of a person', () => {
  const run = (order: unknown, over: object = {}) => write({ id: 'shop-run-k1', use: 'command', order, ...over })
  const never = (order: unknown, message: string, over: object = {}) =>
    refuses({ id: 'shop-run-k1', use: 'command', order, ...over }, message)

  it('runs once, within a minute; one whose release is not here did not run', async () => {
    const order = carried('command', command())
    await expect(run(order)).rejects.toMatchObject({ code: 'E_RELEASE_GONE' })
    haveRelease()
    await run(order)
    await never(order, 'has run already')
    lab().now += 61_000
    await never(order, 'was signed 61 s ago')
    await run(carried('command', command({ id: 'shop-run-k2' })), { id: 'shop-run-k2' })
    lab().now -= 200_000
    await never(carried('command', command({ at: lab().now + 61_000 })), 'was signed -61 s ago')
    expect(lab().written.map(({ id }) => id)).toEqual(['shop-run-k1', 'shop-run-k2'])
  })

  it('does not run again in the unit that it leaves', async () => {
    haveRelease()
    const start = (id: string) => ask('unit.start', { unit: `tandem-${id}.service`, timeoutMs: 1_000 })
    await run(carried('command', command()), { attached: true })
    expect(await start('shop-run-k1')).toBeNull()
    await ask('unit.stop', { unit: 'tandem-shop-run-k1.service', timeoutMs: 1_000 })
    await ask('unit.resetFailed', { unit: 'tandem-shop-run-k1.service' })
    expect(await start('shop-run-k1')).toBe('unit tandem-shop-run-k1.service has been started before, and runs once')
    await write()
    expect([await start('shop-r1-a-1'), await start('shop-r1-a-1')]).toEqual([null, null])
    const prepare = { id: prepareInstance('shop', 'r1'), use: 'prepare' }
    await write(prepare)
    expect(await start(prepare.id)).toBeNull()
    expect(await start(prepare.id)).toContain('has been started before')
    await write(prepare)
    expect(await start(prepare.id)).toBeNull()
  })

  it('is the one that the controller signed, where it signed it', async () => {
    haveRelease()
    const order = carried('command', command())
    await never({ ...order, content: order.content.replace('./tool', '/bin/sh') }, 'meant for another content')
    await never(order, 'meant for shop-run-k1', { id: 'shop-run-k9' })
    await never(order, 'meant for another program', { use: 'beside' })
    await never(carried('command', command({ instance: 'shop-r1-a-1' })), 'meant for another program')
    await never(asked().order, 'meant for a service')
    await refuses({ order }, 'meant for a command')
    expect(lab().written).toEqual([])
  })
})
