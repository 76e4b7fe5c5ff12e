import type {
  CertificateFile,
  Disk,
  ExpectedPort,
  Limits,
  MachineFacts,
  Ports,
  Unit,
  UnreadCertificate,
} from '../machineFacts.ts'

export const now = Date.parse('2026-11-21T12:00:00Z')
export const day = 86_400_000

/** Facts of a machine without any problem; each part is a value that tests can change. */
export function wellParts() {
  const entry = { port: 80, what: 'the entry for http', unit: 'tandem-haproxy.service', loopbackOnly: false }
  const own = { port: 20_001, what: 'the port of shop-1', unit: 'tandem-shop-1.service', loopbackOnly: true }
  const holder = { pid: 7, command: 'haproxy -Ws', unit: 'tandem-haproxy.service' }
  const unit = { load: 'loaded', active: 'active', enabled: true }
  return {
    agent: {
      silent: null as string | null,
      version: '0.1.0',
      installed: '0.1.0',
      connected: true,
      problems: [] as string[],
    },
    programs: [
      { program: 'node' as const, version: '24.21.0' as string | null },
      { program: 'haproxy' as const, version: '2.6.12' as string | null },
    ],
    clock: { synchronised: true },
    ports: {
      expected: [entry, own] as ExpectedPort[],
      listeners: [
        { ...holder, port: 80, address: '0.0.0.0' },
        { port: 20_001, address: '127.0.0.1', pid: 8, command: 'node', unit: 'tandem-shop-1.service' as string | null },
      ],
      strays: [] as Ports['strays'],
      unsaid: [] as Ports['unsaid'],
    },
    certificates: {
      files: [
        {
          ...{
            path: '/d/identity.pem',
            kind: 'identity' as CertificateFile['kind'],
            name: 'a',
            notAfter: now + 20 * day,
          },
          renewAt: (now + 5 * day) as number | null,
          ...{ hasItsKey: true, isSigned: true as boolean | null, isCurrent: null as boolean | null },
        },
      ],
      unread: [] as UnreadCertificate[],
    },
    disks: [
      {
        ...{ path: '/d', holds: 'cache' as Disk['holds'], freeBytes: 50 * 1024 ** 3, totalBytes: 100 * 1024 ** 3 },
        ...{ freeInodes: 900, totalInodes: 1000 },
      },
    ],
    limits: {
      ephemeral: { first: 32_768, last: 60_999, used: 100 },
      instances: { first: 20_000, last: 20_999 },
      files: { used: 1_000, most: 100_000 },
      processes: [{ name: 'tandem-haproxy.service', pid: 7, used: 100, most: 65_536 }] as Limits['processes'],
      overflows: { before: 5, after: 5, seconds: 1 },
    },
    haproxy: {
      ...{
        path: '/d/haproxy.cfg',
        unit: 'tandem-haproxy.service',
        file: 'whole' as 'whole' | 'changed' | 'none' | 'absent',
      },
      refusal: null as string | null,
      silent: null as string | null,
      ...{ shapeOnDisk: 'a', shapeRunning: 'a', failedReloads: 0, files: { needed: 60_000, given: 65_536 } },
    },
    units: {
      units: [
        { ...unit, name: 'tandem-agent.service', own: 'standing' as Unit['own'], instance: null },
        {
          ...unit,
          name: 'tandem-shop-1.service',
          own: null as Unit['own'],
          instance: { id: 'shop-1', once: false } as { id: string; once: boolean } | null,
        },
      ],
      wanted: ['shop-1'],
      own: ['tandem-agent.service'],
      parts: ['tandem-agent.service'],
      areOld: false,
    },
    secrets: [{ path: '/etc/tandem/env/shop.env', mode: 0o600, isOurs: true }],
  }
}

export type Parts = ReturnType<typeof wellParts>

export function factsOf(parts: Parts): MachineFacts {
  const seen = Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, { seen: value }]))
  return {
    machine: 'a',
    now,
    configurations: [],
    ...(seen as unknown as Omit<MachineFacts, 'machine' | 'now' | 'configurations'>),
  } // each part has the type of its fact
}
