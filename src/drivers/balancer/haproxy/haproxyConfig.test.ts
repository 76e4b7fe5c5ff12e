import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PlannedRoute } from '../balancer.ts'
import { randomRun } from '../../../lib/testing/randomRun.ts'
import { httpRoute, localPort, tcpRoute } from '../balancerLab.ts'
import { bodyScript } from './bodyLimit.ts'
import { haproxyConfig, shapeIn } from './haproxyConfig.ts'
import { LabAuthority, whyNoHaproxy } from './haproxyLab.ts'
import { haproxyFiles, haproxyLimits, type HaproxySettings } from './haproxySettings.ts'
import { holdScript } from './holdScript.ts'
import { readable } from './servedRoute.ts'

function settingsIn(dir: string): HaproxySettings {
  return {
    machine: 'a',
    host: '10.0.0.11',
    httpPort: 80,
    https: null,
    forward: { host: '10.0.0.11', port: 7482 },
    files: haproxyFiles(dir, '/run/tandem-haproxy'),
    user: null,
    certificatesHash: 'c0ffee',
    room: { connections: haproxyLimits.connections, weighted: null },
    trustedProxies: [],
    limits: haproxyLimits,
  }
}

const settings = settingsIn('/var/lib/tandem/haproxy')
const b = { machine: 'b', host: '10.0.0.12', port: 7482 }
const shop = (...states: ('active' | 'draining')[]): PlannedRoute =>
  httpRoute({
    host: 'shop.example',
    path: '/cart',
    bodyBytes: 1_000,
    targets: states.map((state, index) => ({ instance: `shop-${index}`, port: 20_000 + index, state })),
    peers: [b],
  })
const queue = tcpRoute({
  port: 5672,
  name: 5672,
  idleMs: 600_000,
  targets: [{ instance: 'queue-1', port: 20_100, state: 'active' }],
})

function configFor(...routes: PlannedRoute[]): string {
  const read = readable({ position: 1, machine: 'a', routes })
  expect(read.unserved).toEqual([])
  return haproxyConfig(read.routes, settings)
}

/** The section that begins with this line, up to the next empty line. */
const section = (config: string, first: string): string =>
  config.slice(config.indexOf(`\n${first} from`) + 1).split('\n\n')[0] ?? ''

describe('the configuration', () => {
  it('names the service of each part, in the order of names, and has the same bytes for the same plan', () => {
    const config = configFor(queue, shop('active'))
    expect(config).toBe(configFor(shop('active'), queue))
    expect(config.match(/^# Service .*$/gm)).toEqual([
      '# Service queue, at TCP port 5672. Definition: tandem status queue',
      '# Service shop, at shop.example/cart. Definition: tandem status shop',
    ])
  })

  it('routes a host and path to local instances first, and to peers when none is left', () => {
    const config = configFor(shop('active', 'draining'))
    expect(section(config, 'frontend entry')).toContain(`  # shop: shop.example/cart
  acl path_of_svc_shop path -m str -- '/cart'
  acl path_of_svc_shop path -m beg -- '/cart/'
  use_backend count_shop if { var(txn.host) -m str -- 'shop.example' } path_of_svc_shop !{ so_id 9 } !{ internal.htx.has_eom -m bool } !{ req.hdr(content-length) -m found } !{ req.hdr(upgrade) -m found }
  use_backend svc_shop if { var(txn.host) -m str -- 'shop.example' } path_of_svc_shop
  default_backend no_route`)
    const backend = section(config, 'backend svc_shop')
    expect(backend).toContain('  server shop-0 127.0.0.1:20000 check inter 2000ms')
    expect(backend).toMatch(/ {2}server shop-1 127\.0\.0\.1:20001 .* disabled\n/)
    expect(backend).toMatch(
      / {2}server peer:b 10\.0\.0\.12:7482 backup ssl verify required verifyhost b ca-file \S+\/authority.pem crt \S+\/machine.pem alpn tandem\/http\/shop/,
    )
  })

  it('routes forwarded work to local instances only, and admits no machine without a certificate', () => {
    const config = configFor(shop('active'), queue)
    expect(section(config, 'backend fwd_shop')).not.toContain('peer:')
    expect(section(config, 'frontend forwarded_http')).toMatch(/ca-file \S+ verify required/)
    expect(section(config, 'frontend forwarded_tcp')).toMatch(/ca-file \S+ verify required id 1/)
  })

  it('sets no timeout on a silent TCP connection except the timeout of its route', () => {
    const config = configFor(shop('active'), queue, tcpRoute({ service: 'other', port: 1, name: 1 }))
    expect(section(config, 'backend svc_queue')).toContain('  timeout tunnel 600000ms')
    expect(section(config, 'backend svc_other')).not.toContain('timeout')
    expect(config).not.toMatch(/timeout (client|server)\b/)
  })

  it('has one shape while only instances and peers change, and another when a route does', () => {
    const shape = shapeIn(configFor(shop('active')))
    expect(shape).toMatch(/^[0-9a-f]{32}$/)
    expect(shapeIn(configFor(shop('active', 'draining')))).toBe(shape)
    expect(shapeIn(configFor({ ...shop(), peers: [] }))).toBe(shape)
    expect(shapeIn(configFor({ ...shop(), holdMs: 30_000 }))).toBe(shape)
    expect(shapeIn(configFor({ ...shop('active'), idleMs: 1_000 }))).not.toBe(shape)
    expect(shapeIn(configFor(shop('active'), queue))).not.toBe(shape)
  })
})

describe('input from people', () => {
  it.each([
    ['a line end in a host', { host: 'a\nbackend evil' }],
    ['a space in a host', { host: 'a b' }],
    ['a line end in a path', { path: '/a\n  server evil 1.2.3.4:80' }],
    ['a quote and a space in a path', { path: `/' if FALSE` }],
    ['a semicolon in an instance', { targets: [{ instance: 'x;shutdown', port: 1, state: 'active' as const }] }],
    ['a space in a machine', { peers: [{ machine: 'b ssl', host: 'h', port: 1 }] }],
    ['a line end in an address', { peers: [{ machine: 'b', host: 'h\n', port: 1 }] }],
    ['no port', { targets: [{ instance: 'x', port: 0, state: 'active' as const }] }],
  ])('never becomes configuration: %s is reported, and the other service is served', (_what, about) => {
    const routes = [httpRoute({ service: 'bad', ...about }), shop('active')]
    const read = readable({ position: 1, machine: 'a', routes })
    expect(read.unserved).toEqual([{ service: 'bad', reason: expect.stringContaining('"bad"') }])
    expect(haproxyConfig(read.routes, settings)).toBe(configFor(shop('active')))
  })
})

describe('HAProxy itself', () => {
  const why = whyNoHaproxy()
  let dir = ''
  beforeAll(() => {
    if (why !== null) return
    dir = mkdtempSync(join(tmpdir(), 'tandem-hx-'))
    const { files } = settingsIn(dir)
    const { cert, key, ca } = new LabAuthority(dir, 'cluster').firstOf('a')
    execFileSync('sh', ['-c', 'cat "$1" "$2" >"$3"; cp "$4" "$5"', 'sh', cert, key, files.machine, ca, files.authority])
    writeFileSync(files.script, holdScript(files.holds, 10))
    writeFileSync(files.bodyScript, bodyScript)
    for (const path of [files.holds, files.machines, files.stopped]) writeFileSync(path, '')
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it('accepts every configuration made of hostile paths and hosts that passed the checks', ({ skip }) => {
    skip(why !== null, why ?? '')
    const { seed, count: numRuns } = randomRun('configurations', { check: 15, soak: 500 })
    const hostile = fc.string({
      unit: fc.constantFrom(...`a b c / ' " \\ $ # { } % - ; ! | & [ ] ü`.split(' '), ' ', '\n', '\t'),
      maxLength: 12,
    })
    const route = fc.record({ host: fc.option(hostile), path: hostile.map((text) => `/${text}`) })
    const routes = fc.array(route, { minLength: 30, maxLength: 30 })
    // As many names of services as are allowed, including the longest, each with local ports that other services have
    // as well.
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,39}$/).filter((text) => !/^s\d+$/.test(text))
    const services = fc.uniqueArray(name, { minLength: 3, maxLength: 10 })
    let written = 0
    fc.assert(
      fc.property(routes, services, (some, names) => {
        const atEntry = some.map((about, index) => httpRoute({ service: `s${index}`, ...about }))
        const local = [...names, 'a'.repeat(40)].flatMap((service, index) => [
          { ...queue, service, own: localPort(service, 65_535, `127.77.0.${index + 1}`) },
          httpRoute({ service, own: localPort(service, 8080, `127.77.0.${index + 1}`) }),
        ])
        const planned = [...atEntry, ...local]
        const read = readable({ position: 1, machine: 'a', routes: planned })
        expect(read.routes.length + read.unserved.length).toBe(planned.length)
        expect(read.routes.filter(({ frontend }) => frontend.startsWith('local_'))).toHaveLength(local.length)
        written += read.routes.length
        const own = settingsIn(dir)
        const path = join(dir, 'haproxy.cfg')
        writeFileSync(path, haproxyConfig(read.routes, own))
        execFileSync('haproxy', ['-c', '-q', '-f', path], { stdio: 'pipe' })
      }),
      { seed, numRuns },
    )
    expect(written).toBeGreaterThan(20)
  }, 3_600_000)
})
