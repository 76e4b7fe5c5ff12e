import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePorts } from './laptop.ts'
import { newUser } from './user.ts'

const root = join(import.meta.dirname, '../..')

it('a cluster is founded, a machine joins it and serves, and is removed again', { timeout: 60_000 }, async () => {
  const { folder, tandem, part } = newUser()
  const port = await freePorts(4)
  const [controller, agent] = [join(folder, 'controller'), join(folder, 'agent')]
  const address = ['--address', '127.0.0.1', '--port', String(port)]
  const founding = ['controller', 'init', '--cluster', 'shop', '--data', controller, '--no-start', ...address]
  expect(await tandem(...founding)).toMatchObject({ exit: 0, context: 'shop', controller: `https://127.0.0.1:${port}` })
  expect(await tandem(...founding)).toMatchObject({ exit: 2, error: { code: 'E_USAGE' } })
  const where = ['--cluster', 'shop', '--data', controller, '--host', '127.0.0.1', '--port', String(port)]
  await part('the controller listens', 'controller', 'run', ...where)
  expect(existsSync(join(controller, 'admit.json'))).toBe(false)

  const file = join(folder, 'cluster.yaml')
  const describe = (entry: number): void =>
    writeFileSync(
      file,
      `cluster: shop\ncontrollers: [127.0.0.1:${port}]\nmachines: { a: { address: 127.0.0.1 } }\nentry: { http: ${entry} }\n` +
        'drivers: { supervisor: process, balancer: embedded, address: none }\n',
    )
  describe(port + 1)
  expect(await tandem('cluster', 'plan', file)).toMatchObject({
    changes: [{ kind: 'add', what: 'machine a' }, { what: 'controllers' }, { what: 'entry' }],
  })
  expect(await tandem('machine', 'add', 'a')).toMatchObject({ exit: 4, error: { code: 'E_NO_SUCH_MACHINE' } })
  expect(await tandem('cluster', 'apply', file)).toMatchObject({ exit: 0 })
  const { token, pin } = await tandem('machine', 'add', 'a')
  const join_ = (with_: string): string[] => {
    return [
      'agent',
      'join',
      `127.0.0.1:${port}`,
      '--token',
      String(token),
      '--pin',
      with_,
      '--data',
      agent,
      '--no-start',
    ]
  }
  expect(await tandem(...join_('0'.repeat(64)))).toMatchObject({ exit: 4, error: { code: 'E_JOIN_REFUSED' } })
  expect(await tandem(...join_(String(pin)))).toMatchObject({ exit: 0, machine: 'a', cluster: 'shop' })
  const request = await tandem('agent', 'certificate', 'request', '--data', agent)
  const sign = async (machine: string): Promise<string> => {
    writeFileSync(join(folder, 'request'), String(request['request']))
    const for_ = ['--machine', machine, '--address', '127.0.0.1', '--data', controller]
    const signed = await tandem('controller', 'sign', join(folder, 'request'), ...for_)
    writeFileSync(join(folder, machine), String(signed['certificate']))
    return join(folder, machine)
  }
  const install = async (file: string) => tandem('agent', 'certificate', 'install', file, '--data', agent)
  expect(await install(await sign('b'))).toMatchObject({ exit: 4, error: { code: 'E_OTHER_CLUSTER' } })
  expect(await install(file)).toMatchObject({ exit: 4, error: { code: 'E_OTHER_CLUSTER' } })
  expect(await install(await sign('a'))).toMatchObject({ exit: 0, machine: 'a' })

  const run = ['agent', 'run', '--data', agent, '--forward-port', String(port + 2), '--metrics-port', String(port + 3)]
  const first = await part('connected to the controller', ...run)

  expect(await tandem('push', join(root, 'examples/node'))).toMatchObject({ exit: 0 })
  expect((await fetch(`http://127.0.0.1:${port + 1}`)).status).toBe(200)
  describe(port + 4)
  const ended = once(first, 'exit')
  expect(await tandem('cluster', 'apply', file)).toMatchObject({ exit: 0 })
  // systemd would restart the agent's unit, with the new settings of the cluster file.
  expect(await ended).toEqual([0, null])
  await part('connected to the controller', ...run)
  await expect.poll(() => statusOf(`http://127.0.0.1:${port + 4}`), { timeout: 20_000 }).toBe(200)
})

const statusOf = (url: string): Promise<number> =>
  fetch(url).then(
    ({ status }) => status,
    () => 0,
  )
