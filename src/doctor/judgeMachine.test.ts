import { describe, expect, it } from 'vitest'
import { judgeMachine } from './judgeMachine.ts'
import type { UnreadCertificate } from './machineFacts.ts'
import { compareVersions } from './judgeVersions.ts'
import { day, factsOf, now, wellParts, type Parts } from './testing/wellMachine.ts'

/** Fails if a list that a test changes lacks the item: then the test is wrong. */
const first = <T>(items: T[], index = 0): T => {
  const item = items[index]
  if (item === undefined) throw new Error(`no item ${index}`)
  return item
}

const readme: UnreadCertificate = {
  ...{ path: '/c/README', kind: 'public', isDenied: false },
  why: 'the file has no line -----BEGIN CERTIFICATE-----',
}

describe('a machine', () => {
  it('without any problem has no findings, and lists its checks', () => {
    const { findings, checked, certificates } = judgeMachine(factsOf(wellParts()))
    expect(findings).toEqual([])
    expect(certificates).toEqual([{ name: 'a', kind: 'own', until: new Date(now + 20 * day).toISOString() }])
    expect(checked).toEqual([
      'agent',
      'report',
      'versions',
      'clock',
      'ports',
      'certificates',
      'disk',
      'limits',
      'haproxy',
      'units',
      'secrets',
    ])
  })

  it('lists its own certificate once and the public ones, and none where they could not be read', () => {
    const parts = wellParts()
    const own = first(parts.certificates.files)
    const more = (['copy', 'public'] as const).map((kind) => ({ ...own, kind, name: 'shop.example' }))
    const listed = judgeMachine(factsOf({ ...parts, certificates: { files: [own, ...more], unread: [] } })).certificates
    expect(listed?.map(({ name, kind }) => `${kind} ${name}`)).toEqual(['own a', 'public shop.example'])
    expect(judgeMachine({ ...factsOf(parts), certificates: { why: 'denied' } })).not.toHaveProperty('certificates')
  })

  it('with a failed check reports it as unchecked, not as wrong', () => {
    const { findings, checked } = judgeMachine({
      ...factsOf(wellParts()),
      clock: { why: 'no timedatectl' },
      units: null,
    })
    expect(findings).toEqual([{ area: 'clock', level: 'unchecked', what: 'not checked: no timedatectl', next: null }])
    expect(checked).not.toContain('clock')
    expect(checked).not.toContain('units')
  })

  it('whose agent does not answer gets no findings about facts that only the agent knows', () => {
    const parts = wellParts()
    parts.agent.silent = 'ECONNREFUSED'
    parts.limits.processes = null
    const { findings, checked } = judgeMachine({ ...factsOf(parts), ports: { why: 'known by the agent only' } })
    expect(findings.map(({ area, level, what }) => `${area} ${level}: ${what}`)).toEqual([
      'agent wrong: the agent does not answer: ECONNREFUSED',
      'ports unchecked: not checked: known by the agent only',
      expect.stringMatching(/^limits unchecked: not checked: the open files of each process/),
    ])
    expect(checked).not.toContain('ports')
    expect(checked).not.toContain('report')
  })

  it('names the certificate that could not be read, and judges the others', () => {
    const parts = wellParts()
    parts.certificates.unread.push({ ...readme, why: 'EACCES: permission denied', isDenied: true })
    first(parts.certificates.files).notAfter = now - 1
    expect(judgeMachine(factsOf(parts)).findings.map(({ level, what }) => `${level}: ${what}`)).toEqual([
      'unchecked: not checked: /c/README: EACCES: permission denied',
      expect.stringMatching(/^wrong: .*the certificate expired/),
    ])
  })

  it.each([
    ['tandem-haproxy.service', /^systemctl restart tandem-agent\.service/],
    ['tandem-agent.service', /tandem machine add NAME/],
  ])('without %s gets a finding with the command that restores it', (name, expected) => {
    const parts = wellParts()
    Object.assign(parts.units, { units: [], own: [name] })
    expect(judgeMachine(factsOf(parts)).findings).toEqual([
      { area: 'units', level: 'wrong', what: `${name} does not exist`, next: expect.stringMatching(expected) },
    ])
  })

  const changes: [string, (parts: Parts) => void, RegExp][] = [
    [
      'an agent that is down',
      ({ agent }) => void (agent.silent = 'ECONNREFUSED'),
      /agent: the agent does not answer: ECONN/,
    ],
    ['an agent alone', ({ agent }) => void (agent.connected = false), /agent: .*not connected to the controller/],
    [
      'a problem that the agent reports',
      ({ agent }) => void agent.problems.push('address: refused'),
      /^report: address: refused$/,
    ],
    ['an old agent', ({ agent }) => void (agent.version = '0.0.9'), /agent: .*0\.0\.9, but 0\.1\.0 is installed/],
    [
      'an old HAProxy',
      ({ programs }) => void (first(programs, 1).version = '2.4.1'),
      /versions: haproxy 2\.4\.1 is older than 2\.6/,
    ],
    ['no HAProxy', ({ programs }) => void (first(programs, 1).version = null), /versions: haproxy is not installed/],
    ['a free-running clock', ({ clock }) => void (clock.synchronised = false), /clock: nothing keeps the clock/],
    [
      'a closed entry',
      ({ ports }) => void ports.listeners.shift(),
      /ports: nothing listens on port 80, the entry for http/,
    ],
    [
      'a taken entry',
      ({ ports }) => Object.assign(first(ports.listeners), { unit: 'nginx.service', command: 'nginx' }),
      /ports: port 80, .* is held by nginx\.service process 7 \(nginx\), not by tandem-haproxy\.service/,
    ],
    [
      'an entry that two hold',
      ({ ports }) => void ports.listeners.push({ ...first(ports.listeners), pid: 9, unit: null, command: 'x' }),
      /ports: port 80, .*process 9 \(x\), not by/,
    ],
    [
      'an instance on all addresses',
      ({ ports }) => void (first(ports.listeners, 1).address = '0.0.0.0'),
      /ports: port 20001, the port of shop-1, is open at 0\.0\.0\.0: clients can reach it past HAProxy/,
    ],
    [
      'a local port of which another program has all addresses',
      ({ ports }) => {
        const unit = 'tandem-haproxy.service'
        ports.expected.push({
          ...{ port: 6379, address: '127.77.1.2', what: 'the local port of redis', unit, loopbackOnly: false },
        })
        ports.listeners.push(
          { ...first(ports.listeners), port: 6379, address: '127.77.9.9', unit: 'other.service' },
          { ...first(ports.listeners), port: 6379, address: '0.0.0.0', unit: 'redis.service' },
        )
      },
      /ports: port 6379, the local port of redis, is held by redis\.service/,
    ],
    [
      'an instance on a port that is not assigned to it',
      ({ ports }) => void ports.strays.push({ instance: 'shop-1', port: 9229, address: '::' }),
      /ports: shop-1 listens on port 9229 at ::, .*everybody can reach this port, past HAProxy/,
    ],
    [
      'a port that is open without being declared',
      ({ ports }) => void ports.unsaid.push({ service: 'redis', port: 6379 }),
      /ports: redis: tcp port 6379 is open to everybody, but its release does not declare that/,
    ],
    [
      'an expired certificate',
      ({ certificates }) => void (first(certificates.files).notAfter = now - 1),
      /certificates: .*the certificate expired on 2026-11-21/,
    ],
    [
      'a renewal that is late',
      ({ certificates }) => void (first(certificates.files).renewAt = now - day),
      /certificates: .*should have been renewed on 2026-11-20; it is valid until/,
    ],
    [
      'a foreign key',
      ({ certificates }) => void (first(certificates.files).hasItsKey = false),
      /certificates: .*belongs to another certificate/,
    ],
    [
      'a foreign authority',
      ({ certificates }) => void (first(certificates.files).isSigned = false),
      /certificates: .*not signed by/,
    ],
    [
      'an old copy',
      ({ certificates }) => void (first(certificates.files).isCurrent = false),
      /certificates: .*differs from this machine's current certificate/,
    ],
    [
      'a public certificate that was not renewed',
      ({ certificates }) =>
        Object.assign(first(certificates.files), { kind: 'public', renewAt: null, notAfter: now + 3 * day }),
      /certificates: .*the certificate expires on 2026-11-24/,
    ],
    [
      'a file without a certificate',
      ({ certificates }) => void certificates.unread.push(readme),
      /^certificates: \/c\/README contains no certificate: the file has no line/,
    ],
    [
      'a damaged identity',
      ({ certificates }) =>
        Object.assign(certificates, { files: [], unread: [{ ...readme, path: '/d/identity.pem', kind: 'identity' }] }),
      /^certificates: \/d\/identity\.pem contains no certificate/,
    ],
    [
      'a full disk',
      ({ disks }) => void (first(disks).freeBytes = 100 * 1024 ** 2),
      /disk: \/d: 100 MiB of 100\.0 GiB left/,
    ],
    ['a disk without inodes', ({ disks }) => void (first(disks).freeInodes = 10), /disk: \/d: 10 of 1000 inodes left/],
    [
      'no ephemeral ports',
      ({ limits }) => void (limits.ephemeral.used = 28_000),
      /limits: 28000 of 28232 ephemeral ports/,
    ],
    [
      'ports in the ephemeral range',
      ({ limits }) => void (limits.instances.last = 40_000),
      /limits: .*lie in the ephemeral range 32768/,
    ],
    ['no files left', ({ limits }) => void (limits.files.used = 90_000), /limits: 90000 of 100000 open files/],
    [
      'a process without files',
      ({ limits }) => void (first(limits.processes ?? []).used = 65_000),
      /limits: tandem-haproxy.* has 65000 of 65536/,
    ],
    [
      'dropped connections',
      ({ limits }) => void (limits.overflows.after = 8),
      /limits: 3 connections were dropped in 1 s/,
    ],
    ['no configuration', ({ haproxy }) => void (haproxy.file = 'absent'), /haproxy: .*does not exist/],
    ['a changed configuration', ({ haproxy }) => void (haproxy.file = 'changed'), /haproxy: .*changed by hand/],
    [
      'a refused configuration',
      ({ haproxy }) => void (haproxy.refusal = 'line 3'),
      /haproxy: .*the check of .* failed: line 3/,
    ],
    [
      'HAProxy down',
      ({ haproxy }) => void (haproxy.silent = 'no socket'),
      /haproxy: HAProxy does not answer: no socket/,
    ],
    [
      'HAProxy with another configuration',
      ({ haproxy }) => void (haproxy.shapeRunning = 'b'),
      /haproxy: HAProxy runs with another configuration/,
    ],
    [
      'reloads that failed',
      ({ haproxy }) => void (haproxy.failedReloads = 2),
      /haproxy: .*2 consecutive reloads of HAProxy failed/,
    ],
    [
      'too few files',
      ({ haproxy }) => void (haproxy.files.given = 1024),
      /haproxy: HAProxy may open 1024 files, and needs 60000/,
    ],
    [
      'a disabled agent',
      ({ units }) => void (first(units.units).enabled = false),
      /units: tandem-agent\.service does not start after a reboot/,
    ],
    [
      'a dead instance',
      ({ units }) => void (first(units.units, 1).active = 'failed'),
      /units: tandem-shop-1\.service does not run: failed/,
    ],
    [
      'a missing unit of Tandem itself',
      ({ units }) => void units.own.push('tandem-guard.service'),
      /^units: tandem-guard\.service does not exist$/,
    ],
    [
      'a missing unit that joining has written',
      ({ units }) => {
        units.own.push('tandem-privileged.socket')
        units.parts.push('tandem-privileged.socket')
      },
      /^units: tandem-privileged\.socket does not exist$/,
    ],
    [
      'units of another version',
      ({ units }) => void (units.areOld = true),
      /^units: Tandem's own units, users and folders are still those of another version$/,
    ],
    [
      'an agent whose unit file is gone while systemd still knows the unit',
      ({ units }) => void (first(units.units).load = 'not-found'),
      /^units: tandem-agent\.service does not exist$/,
    ],
    [
      'a unit with an unknown name',
      ({ units }) => void Object.assign(first(units.units, 1), { name: 'tandem-helper.service', instance: null }),
      /^units: stray unit: tandem-helper\.service does not belong to Tandem/,
    ],
    [
      'a stray instance',
      ({ units }) => void (units.wanted = []),
      /units: stray unit: tandem-shop-1\.service belongs to an instance that no desired state wants/,
    ],
    [
      'a stray unit',
      ({ units }) => void (first(units.units, 1).instance = null),
      /units: stray unit: .*does not belong to Tandem, by its content/,
    ],
    [
      'stray processes',
      ({ units }) => void (first(units.units, 1).load = 'not-found'),
      /units: stray processes: .* its unit file is gone/,
    ],
    [
      'a secret that other users can read',
      ({ secrets }) => void (first(secrets).mode = 0o644),
      /secrets: .*other users can read .*\(mode 0644\)/,
    ],
    ["another's secret", ({ secrets }) => void (first(secrets).isOurs = false), /secrets: .*belongs to another user/],
  ]
  it.each(changes)('with %s: exactly one finding, with the next step', (_what, change, expected) => {
    const parts = wellParts()
    change(parts)
    const { findings } = judgeMachine(factsOf(parts))
    expect(findings.map(({ area, what }) => `${area}: ${what}`)).toEqual([expect.stringMatching(expected)])
    expect(findings[0]).toMatchObject({ level: 'wrong', next: expect.stringMatching(/\w/) })
  })

  it.each<[string, (parts: Parts) => void]>([
    [
      'a small disk that is far from full',
      ({ disks }) => Object.assign(first(disks), { freeBytes: 1e9, totalBytes: 2e9 }),
    ],
    [
      'a file system that counts no inodes',
      ({ disks }) => Object.assign(first(disks), { freeInodes: 0, totalInodes: 0 }),
    ],
    [
      'a renewal that is one hour late',
      ({ certificates }) => void (first(certificates.files).renewAt = now - 3_600_000),
    ],
    [
      'a one-off program whose caller has left',
      ({ units }) => {
        const instance = { id: 'shop-run-1', once: true }
        Object.assign(first(units.units, 1), { active: 'inactive', enabled: false, instance })
      },
    ],
    [
      'a maintenance script',
      ({ units }) =>
        void Object.assign(first(units.units, 1), {
          ...{ name: 'tandem-maintenance-4f0h1j2k-1.service', own: 'passing', instance: null },
        }),
    ],
    [
      'a unit that systemd remembers although nothing is left of it',
      ({ units }) => Object.assign(first(units.units, 1), { load: 'not-found', active: 'failed' }),
    ],
  ])('with %s: no finding', (_what, change) => {
    const parts = wellParts()
    change(parts)
    expect(judgeMachine(factsOf(parts)).findings).toEqual([])
  })
})

it('compares versions as numbers', () => {
  expect(['2.10', '2.9', '2.9.1'].toSorted(compareVersions)).toEqual(['2.9', '2.9.1', '2.10'])
  expect(compareVersions('252', '252.0')).toBe(0)
  expect(compareVersions('2.6.12-1+deb12u4', '2.6')).toBeGreaterThan(0)
})

it.each([
  ['cache', 'tandem agent run --cache-cap'],
  ['store', 'tandem controller run --store-cap'],
  ['journal', 'journalctl --vacuum-size=1G'],
] as const)('the finding for a full disk that holds the %s names the command that limits it', (holds, command) => {
  const parts = wellParts()
  Object.assign(first(parts.disks), { holds, freeBytes: 100 * 1024 ** 2 })
  expect(judgeMachine(factsOf(parts)).findings[0]?.next).toContain(command)
})
