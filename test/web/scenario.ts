import type { Definition } from '../../src/definitions/definition.ts'
import type { Call } from '../../src/definitions/calls.ts'
import { every } from '../../src/lib/clock.ts'
import type { Checkup } from '../../src/protocol/checkup.ts'
import { sha256 } from '../../src/lib/hash.ts'
import { Cluster, releaseOf } from '../inProcess/cluster.ts'
import type { Behaviour, Machine } from '../inProcess/machine.ts'

/** Requests a second to each service of the pair, in the sum of both machines; `null`: it has no port. */
const traffic: Record<string, number | null> = {
  ...{ api: 650, auth: 99, billing: 14, images: 200, mailer: null, queue: 2_381, reports: 0.4 },
  ...{ search: 389, shop: 418, site: 142, webhooks: 47, admin: 0 },
}

const routesOf = (service: string): Definition['routes'] => [{ host: `${service}.example`, path: '/' }]

/** The services that each one calls; those that call nobody are deployed first. */
const calls: Record<string, Call[]> = {
  ...{
    billing: [{ address: 'api.stripe.com:443' }],
    mailer: [{ service: 'queue' }, { address: 'smtp.example.com:587' }],
  },
  ...{ webhooks: [{ service: 'queue' }], api: ['auth', 'search', 'queue'].map((service) => ({ service })) },
  reports: [{ service: 'billing' }, { service: 'warehouse', optional: true }],
  shop: ['auth', 'billing', 'search', 'images'].map((service) => ({ service })),
  site: [{ service: 'shop' }],
  admin: [{ service: 'api' }],
}
const owners: Record<string, string> = { shop: 'storefront', billing: 'payments', auth: 'identity' }

const usesOf = (service: string): Pick<Definition, 'uses'> => {
  const uses = calls[service]
  return uses === undefined ? {} : { uses }
}

const names = Object.keys(traffic).toSorted((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))

function depth(service: string): number {
  const called = (calls[service] ?? []).flatMap((use) =>
    'service' in use && use.service in traffic ? use.service : [],
  )
  return Math.max(-1, ...called.map(depth)) + 1
}

/** The name of a service's first or second release, as `releaseOf` takes it. */
const release = (service: string, number: 1 | 2): string => sha256(`${service} ${number}`).slice(0, 7)

type Certificate = NonNullable<Checkup['certificates']>[number]
const publicOnes = [
  { name: '*.example', kind: 'public', days: 9 },
  { name: 'shop.example.com', kind: 'public', days: 61 },
] as const

/**
 * A pair with twelve services in the states that a person on call meets: one is stopped, one fails on one machine, and a
 * rollout goes round.
 */
export async function twelveServices(): Promise<Cluster> {
  const cluster = await Cluster.start({ machines: 2, seed: 7 })
  let isSearchBroken = false
  for (const machine of cluster.machines.values()) {
    machine.behaviour = (spec): Behaviour => {
      const started = { stream: 'out' as const, text: `${spec.service} listens on ${spec.env['PORT']}` }
      const fatal = { stream: 'err' as const, text: 'FATAL index open: segment 41: checksum mismatch' }
      if (isSearchBroken && spec.service === 'search' && machine.name === 'b')
        return { prints: [started, fatal], ends: { code: 1, afterMs: 900 } }
      return { prints: [started], bootMs: 3_000 }
    }
  }
  for (const service of names) {
    const listen = traffic[service] === null ? 'none' : 'http'
    const about = { owner: owners[service] ?? 'platform', runbook: `https://wiki.example/${service}` }
    const routes = listen === 'none' ? null : routesOf(service)
    await cluster.push(release(service, 1), { service, listen, routes, about, ...usesOf(service) })
  }
  await cluster.start('admin', null, { kind: 'stop' })
  await cluster.rest()
  isSearchBroken = true
  const { supervisor } = cluster.machine('b')
  for (const { id } of cluster.machine('b').running('search')) supervisor.die(id, { code: 1 })
  await cluster.rest()
  const own = (name: string): Certificate => ({ name, kind: 'own', until: inDays(82) })
  for (const machine of cluster.machines.values()) {
    const certificates = [own(machine.name), ...publicOnes.map(({ days, ...one }) => ({ ...one, until: inDays(days) }))]
    const findings = [
      { area: 'certificates', level: 'wrong', what: '*.example expires in 9 d', next: 'replace the file' } as const,
    ]
    machine.checkup = { machine: machine.name, checked: ['certificates', 'disk'], findings, certificates }
  }
  return cluster

  function inDays(days: number): string {
    return new Date(cluster.clock.now() + days * 86_400_000).toISOString()
  }
}

/** Makes requests to every instance that its balancer routes to, once a second, and a rollout of `shop` every minute. */
export function live(cluster: Cluster): () => void {
  let [seconds, turn] = [0, 0]
  return every(cluster.clock, 1_000, () => {
    for (const machine of cluster.machines.values()) requests(cluster, machine)
    if (seconds++ % 60 === 5) void roll(cluster, turn++ % 2 === 0 ? 2 : 1)
  })
}

function requests(cluster: Cluster, machine: Machine): void {
  for (const { id, service } of machine.running()) {
    const rate = (traffic[service] ?? 0) / cluster.machines.size
    const whole = Math.floor(rate * (0.9 + cluster.random() / 5) + cluster.random())
    machine.balancer.answers(id, service, 200, whole)
    if (service === 'search' && whole > 0) machine.balancer.answers(id, service, 500, 1)
    machine.balancer.setInFlight(id, { work: Math.round(rate / 30), long: 0 })
  }
}

async function roll(cluster: Cluster, number: 1 | 2): Promise<void> {
  const name = release('shop', number)
  await cluster.publish(name, { service: 'shop', routes: routesOf('shop'), ...usesOf('shop') })
  await cluster.start('shop', releaseOf(name))
}
