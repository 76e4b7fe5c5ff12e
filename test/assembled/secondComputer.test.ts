import { readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createAuthority, createRequest, signRequest } from '../../src/identity/authority.ts'
import { founded, UserHere } from './founded.ts'

const contextsOf = ({ folder }: { folder: string }): string[] => {
  const config = join(folder, 'config')
  return readdirSync(folder).includes('config') ? readdirSync(config, { recursive: true }).map(String) : []
}

it('a second computer can use the cluster after running the printed command', async () => {
  const { founder, made, url } = await founded()
  const printed = await founder.tandem('context', 'show', '--invite')
  expect(printed).toMatchObject({ exit: 0, context: 'shop', url, pin: made['pin'], invite: made['invite'] })
  const plain = await founder.paste('tandem context show shop --invite')
  expect(plain).toMatchObject({ exit: 0, out: `${String(made['invite'])}\n` })
  expect(plain.err).toContain('anyone who has this command has all permissions of this context')

  const second = new UserHere()
  expect(await second.paste(plain.out.trim())).toMatchObject({
    ...{ exit: 0, err: '' },
    out: `saved context shop: ${url}, cluster shop; it is now the current context\n`,
  })
  expect(await second.tandem('status')).toMatchObject({ exit: 0, cluster: 'shop' })
  expect((await founder.paste('tandem context show')).out).not.toContain('tdm_')

  // A colleague with read-only access.
  const reader = await founder.tandem('controller', 'token', 'create', '--role', 'reader', '--name', 'eyes')
  const colleague = new UserHere()
  expect(await colleague.paste(String(reader['invite']))).toMatchObject({ exit: 0 })
  expect(await colleague.tandem('status')).toMatchObject({ exit: 0, cluster: 'shop' })
  const change = ['controller', 'token', 'create', '--role', 'reader', '--name', 'x']
  expect(await colleague.tandem(...change)).toMatchObject({ exit: 4, error: { code: 'E_FORBIDDEN' } })

  // A job without a context.
  const [, token, pin] = /TANDEM_TOKEN=(\S+) .* --pin (\S+)/.exec(plain.out) ?? []
  const third = new UserHere()
  const environment = `TANDEM_URL=${url} TANDEM_TOKEN=${token} TANDEM_PIN=${pin}`
  expect(JSON.parse((await third.paste(`${environment} tandem status --json`)).out)).toMatchObject({ cluster: 'shop' })
})

it('a context that would not work is not saved, and the reason is shown', async () => {
  const { made, url } = await founded()
  const line = String(made['invite'])
  const second = new UserHere()
  const wrong: [string, number, string][] = [
    [line.replace(/TANDEM_TOKEN=\S+/, 'TANDEM_TOKEN=tdm_of_nobody_at_all'), 4, 'does not know the token'],
    [line.replace(/--pin \S+/, `--pin ${'0'.repeat(64)}`), 4, 'not signed by the authority with the fingerprint'],
    [line.replace(/--pin \S+/, '--pin 3f9c'), 2, 'a fingerprint is 64 hex digits'],
    [line.replace(/ --pin \S+/, ''), 3, 'shows a certificate that this computer does not trust'],
    [line.replace(/:\d+/, ':1'), 3, 'no controller answers at 127.0.0.1:1'],
    [line.replace('https:', 'http:'), 2, 'a fingerprint needs https:'],
    [line.replace(' add shop ', ' add ../shop '), 2, 'is not a valid context name'],
  ]
  for (const [tried, exit, said] of wrong) {
    const answer = await second.paste(tried)
    expect(answer, tried).toMatchObject({ exit, out: '', err: expect.stringContaining(said) })
    expect(contextsOf(second), tried).toEqual([])
  }
  expect(await second.paste(line.replace(/--pin (\S+)/, (_, pin: string) => `--pin ${inPairs(pin)}`))).toMatchObject({
    ...{ exit: 0, out: expect.stringContaining(url) },
  })
})

const inPairs = (pin: string): string => pin.toUpperCase().replaceAll(/..(?=.)/g, '$&:')

it('another cluster at that address never receives the token', async () => {
  const { made } = await founded()
  const other = await createAuthority('other', Date.now())
  const { key, request } = await createRequest('controller')
  const about = { role: 'controller', name: 'controller', addresses: ['127.0.0.1'] } as const
  const certificate = await signRequest(other, request, about, { now: Date.now(), days: 1 })
  let asked = 0
  const server = createServer({ key, cert: certificate + other.certificate }, (_, response) => {
    asked++
    response.end()
  })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a listening TCP server has an address
  const second = new UserHere()
  const answer = await second.paste(String(made['invite']).replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`))
  expect(answer).toMatchObject({ exit: 4, err: expect.stringContaining('E_OTHER_AUTHORITY') })
  expect(asked).toBe(0)
})

it('a machine joins once by its token and the right fingerprint; a certificate signed offline is installed only for it', async () => {
  const { founder, port, data } = await founded()
  const [file, agent] = [join(founder.folder, 'cluster.yaml'), join(founder.folder, 'agent')]
  writeFileSync(
    file,
    `cluster: shop\ncontrollers: [127.0.0.1:${port}]\nmachines: { a: { address: 127.0.0.1 } }\nentry: { http: 1 }\n` +
      'drivers: { supervisor: process, balancer: embedded, address: none }\n',
  )
  expect(await founder.tandem('machine', 'add', 'a')).toMatchObject({ exit: 4, error: { code: 'E_NO_SUCH_MACHINE' } })
  expect(await founder.tandem('cluster', 'apply', file)).toMatchObject({ exit: 0 })
  const { token, pin } = await founder.tandem('machine', 'add', 'a')
  const joining = (by: string, to: string) =>
    founder.tandem(
      ...['agent', 'join', `127.0.0.1:${port}`, '--token', String(token), '--pin', by, '--data', to, '--no-start'],
    )
  expect(await joining('0'.repeat(64), agent)).toMatchObject({ exit: 4, error: { code: 'E_JOIN_REFUSED' } })
  expect(await joining(String(pin), agent)).toMatchObject({ exit: 0, machine: 'a', cluster: 'shop' })
  const again = await joining(String(pin), join(founder.folder, 'other'))
  expect(again).toMatchObject({ exit: 4, error: { code: expect.stringMatching(/^E_/) } })
  const request = await founder.tandem('agent', 'certificate', 'request', '--data', agent)
  const sign = async (machine: string): Promise<string> => {
    writeFileSync(join(founder.folder, 'request'), String(request['request']))
    const about = ['--machine', machine, '--address', '127.0.0.1', '--data', data]
    const signed = await founder.tandem('controller', 'sign', join(founder.folder, 'request'), ...about)
    writeFileSync(join(founder.folder, machine), String(signed['certificate']))
    return join(founder.folder, machine)
  }
  const install = (from: string) => founder.tandem('agent', 'certificate', 'install', from, '--data', agent)
  expect(await install(await sign('b'))).toMatchObject({ exit: 4, error: { code: 'E_OTHER_CLUSTER' } })
  expect(await install(file)).toMatchObject({ exit: 4, error: { code: 'E_OTHER_CLUSTER' } })
  expect(await install(await sign('a'))).toMatchObject({ exit: 0, machine: 'a' })
})
