import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hostHere, TestInterrupts } from '../../src/cli/testing/testHost.ts'
import { runCli } from '../../src/cli/runCli.ts'
import { freePorts } from '../system/laptop.ts'
import { Assembled } from './assembled.ts'
import { founded } from './founded.ts'

interface Got {
  status: number
  text: string
  json: Record<string, unknown>
}

/** A request of a browser that opened the page at this port. */
async function browse(port: number, method: string, path: string, headers: Record<string, string> = {}): Promise<Got> {
  const own = { host: `tandem.localhost:${port}`, accept: 'text/html' }
  const sent = request({ host: '127.0.0.1', port, method, path, agent: false, headers: { ...own, ...headers } })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const text = Buffer.concat(await Array.fromAsync(response)).toString()
  const json = (response.headers['content-type'] ?? '').includes('json') ? JSON.parse(text) : {}
  return { status: response.statusCode ?? 0, text, json: json as Record<string, unknown> }
}

/** Signs in as the page does with the fragment of its address. */
async function signIn(link: string): Promise<Got> {
  const { port, hash, host } = new URL(link)
  const authorization = `Bearer ${hash.replace('#open=', '')}`
  return browse(Number(port), 'POST', '/api/v1/sessions', { authorization, origin: `http://${host}` })
}

describe('tandem open, for a cluster on this computer', () => {
  let cluster: Assembled
  beforeAll(async () => {
    cluster = await Assembled.start({ machines: 1 })
  })
  afterAll(() => cluster.remove())

  it('gives the browser a file of the user alone, and no argument that signs in', async () => {
    const browser = join(cluster.folder, 'browser.sh')
    const seen = join(cluster.folder, 'seen')
    writeFileSync(browser, `#!/bin/sh\nprintf '%s\\n' "$@" > ${seen}\n`)
    chmodSync(browser, 0o700)
    cluster.env['BROWSER'] = browser
    const opened = await cluster.json<{ url: string; link: null; shown: boolean }>('open', 'services/shop')
    const url = `http://tandem.localhost:${cluster.port}/services/shop`
    expect(opened).toMatchObject({ exit: 0, url, link: null, shown: true })
    const argument = readFileSync(seen, 'utf8').trim()
    expect(argument).toMatch(/^file:\/\/\/.*\.html$/)
    const file = new URL(argument)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(new URL('.', file)).mode & 0o777).toBe(0o700)
    const link = /url=([^"]+)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
    expect(link).toContain(`${url}#open=tdl_`)
    expect((await signIn(link)).json).toMatchObject({ name: 'tandem up', role: 'operator' })
  })

  it('prints a link that works once, alone on standard output', async () => {
    const { code, out, err } = await cluster.run('open', '--no-browser')
    expect([code, out.length]).toEqual([0, 1])
    expect(err).toContain('the link works once, within a minute')
    const [link = ''] = out
    const first = await signIn(link)
    const authorization = `Bearer ${String(first.json['key'])}`
    expect((await browse(cluster.port, 'GET', '/api/v1/status', { authorization })).json).toMatchObject({
      cluster: 'local',
    })
    const second = await signIn(link)
    expect([second.status, second.json['code']]).toEqual([403, 'E_LINK_REFUSED'])
  })

  it('prints the link where no browser is, or where it fails', async () => {
    for (const [browser, why] of [
      ['/nowhere/browser', '/nowhere/browser could not show the page'],
      ['', 'this session has no browser'],
    ] as const) {
      Object.assign(cluster.env, { BROWSER: browser, DISPLAY: '', WAYLAND_DISPLAY: '' })
      const { code, out, err } = await cluster.run('open')
      expect([code, out[0]]).toEqual([0, expect.stringContaining('/#open=tdl_')])
      expect(err).toContain(why)
    }
  })

  it('refuses a path that leads elsewhere, and a port that cannot be', async () => {
    expect(await cluster.json('open', '//evil.example')).toMatchObject({ exit: 2, error: { code: 'E_USAGE' } })
    const refused = await cluster.json('open', '--port', '1')
    expect(refused).toMatchObject({ exit: 2, error: { code: 'E_USAGE', subject: '--port' } })
  })

  it('lets nobody in who only reaches the port', async () => {
    expect((await browse(cluster.port, 'GET', '/')).status).toBe(200)
    for (const path of ['/api/v1/status', '/api/v1/session', '/api/v1/events']) {
      expect([path, (await browse(cluster.port, 'GET', path)).status]).toEqual([path, 401])
    }
    expect((await browse(cluster.port, 'POST', '/api/v1/session-links')).status).toBe(401)
  })
})

it('tandem open carries the page of a cluster elsewhere over the pinned connection, until Ctrl-C', async () => {
  const { founder, url } = await founded()
  const folder = (name: string): string => join(founder.folder, name)
  const env = {
    ...process.env,
    ...{ XDG_CONFIG_HOME: folder('config'), XDG_CACHE_HOME: folder('cache'), XDG_STATE_HOME: folder('state') },
  }
  const port = await freePorts(1)
  let interrupts = new TestInterrupts()
  const begin = (): { exit: Promise<number>; stdout: PassThrough } => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough().resume()]
    const given = { stdin: () => Readable.from([]), stdout, stderr, env, cwd: founder.folder }
    const argv = ['open', '--no-browser', '--json', '--port', String(port)]
    const exit = runCli(argv, hostHere({ ...given, interrupts: () => interrupts })).finally(() => stdout.end())
    return { exit, stdout }
  }
  const linkOf = async (stdout: PassThrough): Promise<string> => {
    const [line] = (await once(createInterface({ input: stdout }), 'line')) as [string]
    return (JSON.parse(line) as { link: string }).link // documented
  }

  const first = begin()
  const link = await linkOf(first.stdout)
  expect(link).toContain(`http://tandem.localhost:${port}/#open=tdl_`)
  expect((await browse(port, 'GET', '/')).text).toContain('<div id="page">')
  const signed = await signIn(link)
  expect(signed.status).toBe(200)
  const authorization = `Bearer ${String(signed.json['key'])}`
  expect((await browse(port, 'GET', '/api/v1/status', { authorization })).json).toMatchObject({ cluster: 'shop' })

  // The controller itself refuses requests that do not come from the page.
  expect((await browse(port, 'GET', '/', { host: 'evil.example' })).status).toBe(421)
  const foreign = { authorization, origin: `http://tandem.localhost:${port + 1}` }
  expect((await browse(port, 'GET', '/api/v1/status', foreign)).json['code']).toBe('E_FOREIGN_SITE')
  // Who reaches the controller without the tunnel gets no page under its address.
  expect(url).toMatch(/^https:/)

  // Another one uses the same tunnel, and returns at once.
  const second = begin()
  const [other, exit] = [await linkOf(second.stdout), await second.exit]
  expect([exit, (await signIn(other)).status]).toEqual([0, 200])

  interrupts.interrupt()
  expect(await first.exit).toBe(130)
  await expect(browse(port, 'GET', '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  expect(existsSync(folder(`state/tandem/open/${port}.json`))).toBe(false)

  // A page that is still open has a key that is good for nothing, whoever has the port now.
  interrupts = new TestInterrupts()
  const third = begin()
  await linkOf(third.stdout)
  expect((await browse(port, 'GET', '/api/v1/status', { authorization })).json['code']).toBe('E_SESSION_ENDED')
  interrupts.interrupt()
  expect(await third.exit).toBe(130)
})
