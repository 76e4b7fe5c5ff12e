import { readdirSync } from 'node:fs'
import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createAuthority, createRequest, signRequest } from '../../src/identity/authority.ts'
import { freePorts } from './laptop.ts'
import { newUser } from './user.ts'

/** Founds and starts a cluster with an authority, by a user who then has its context. */
async function founded() {
  const founder = newUser()
  const port = await freePorts(1)
  const data = join(founder.folder, 'controller')
  const where = ['--cluster', 'shop', '--data', data]
  const init = ['controller', 'init', ...where, '--address', '127.0.0.1', '--port', String(port), '--no-start']
  const made = await founder.tandem(...init)
  await founder.part('the controller listens', 'controller', 'run', ...where, '--port', String(port))
  return { founder, made, port, url: `https://127.0.0.1:${port}` }
}

const contextsOf = ({ folder }: { folder: string }): string[] => {
  const config = join(folder, 'config')
  return readdirSync(folder).includes('config') ? readdirSync(config, { recursive: true }).map(String) : []
}

it('a second computer can use the cluster after running the printed command', { timeout: 120_000 }, async () => {
  const { founder, made, url } = await founded()
  const printed = await founder.tandem('context', 'show', '--invite')
  expect(printed).toMatchObject({ exit: 0, context: 'shop', url, pin: made['pin'], invite: made['invite'] })
  const plain = await founder.paste('tandem context show shop --invite')
  expect(plain).toMatchObject({ exit: 0, out: `${String(made['invite'])}\n` })
  expect(plain.err).toContain('anyone who has this command has all permissions of this context')

  const second = newUser()
  expect(await second.paste(plain.out.trim())).toMatchObject({
    ...{ exit: 0, err: '' },
    out: `saved context shop: ${url}, cluster shop; it is now the current context\n`,
  })
  expect(await second.tandem('status')).toMatchObject({ exit: 0, cluster: 'shop' })
  expect((await founder.paste('tandem context show')).out).not.toContain('tdm_')

  // A colleague with read-only access.
  const reader = await founder.tandem('controller', 'token', 'create', '--role', 'reader', '--name', 'eyes')
  const colleague = newUser()
  expect(await colleague.paste(String(reader['invite']))).toMatchObject({ exit: 0 })
  expect(await colleague.tandem('status')).toMatchObject({ exit: 0, cluster: 'shop' })
  const change = ['controller', 'token', 'create', '--role', 'reader', '--name', 'x']
  expect(await colleague.tandem(...change)).toMatchObject({ exit: 4, error: { code: 'E_FORBIDDEN' } })

  // A job without a context.
  const [, token, pin] = /TANDEM_TOKEN=(\S+) .* --pin (\S+)/.exec(plain.out) ?? []
  const third = newUser()
  const environment = `TANDEM_URL=${url} TANDEM_TOKEN=${token} TANDEM_PIN=${pin}`
  expect(JSON.parse((await third.paste(`${environment} tandem status --json`)).out)).toMatchObject({ cluster: 'shop' })
})

it('a context that would not work is not saved, and the reason is shown', { timeout: 120_000 }, async () => {
  const { made, url } = await founded()
  const line = String(made['invite'])
  const second = newUser()
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

it('another cluster at that address never receives the token', { timeout: 60_000 }, async () => {
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
  const second = newUser()
  const answer = await second.paste(String(made['invite']).replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`))
  expect(answer).toMatchObject({ exit: 4, err: expect.stringContaining('E_OTHER_AUTHORITY') })
  expect(asked).toBe(0)
})
