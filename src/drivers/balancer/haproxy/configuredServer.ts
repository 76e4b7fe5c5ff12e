import { isIPv6 } from 'node:net'
import type { Peer } from '../balancer.ts'
import { instanceHost } from '../limits.ts'
import type { HaproxySettings } from './haproxySettings.ts'
import type { ServedRoute } from './servedRoute.ts'

/** One server of one backend, for the configuration and for the run-time commands that have the same effect. */
export interface ConfiguredServer {
  backend: string
  name: string
  host: string
  port: number
  /** The server takes new work. */
  active: boolean
  /** The part of the line after the address. */
  parameters: string
}

/** The server to which an old worker hands over: the new worker, through its own socket. */
export const newWorker = 'new:worker'

/** Servers of all backends, in the order of the configuration. */
export function configuredServers(routes: ServedRoute[], settings: HaproxySettings): ConfiguredServer[] {
  const machines = knownPeers(routes)
  return routes.flatMap((route) => [
    ...localServers(route, route.backend, settings),
    ...machines.map((peer) => peerServer(route, peer, settings)),
    ...localServers(route, route.forwarded, settings),
  ])
}

export function peerName(machine: string): string {
  return `peer:${machine}`
}

export function serverLine({ name, host, port, active, parameters }: ConfiguredServer): string {
  return `server ${name} ${socketAddress(host, port)} ${parameters}${active ? '' : ' disabled'}`
}

/** Run-time commands that add a server; a server is added in maintenance (management guide, 9.3, `add server`). */
export function addCommands(server: ConfiguredServer): string[] {
  const { backend, name, host, port, parameters } = server
  return [
    `add server ${backend}/${name} ${socketAddress(host, port)} ${parameters}`,
    `enable health ${backend}/${name}`,
  ]
}

function socketAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Every peer of any route. Peers that a route may not use now are present in maintenance, so that they can be enabled
 * without a reload.
 */
function knownPeers(routes: ServedRoute[]): Peer[] {
  const peers = new Map<string, Peer>()
  for (const { planned } of routes) for (const peer of planned.peers) peers.set(peer.machine, peer)
  return [...peers.values()].toSorted((a, b) => (a.machine < b.machine ? -1 : 1))
}

function localServers({ planned }: ServedRoute, backend: string, settings: HaproxySettings): ConfiguredServer[] {
  return planned.targets
    .toSorted((a, b) => (a.instance < b.instance ? -1 : 1))
    .map(({ instance, port, state }) => ({
      backend,
      name: instance,
      host: instanceHost,
      port,
      active: state === 'active',
      parameters: `check ${watched(settings)}`,
    }))
}

function peerServer(route: ServedRoute, peer: Peer, settings: HaproxySettings): ConfiguredServer {
  const { authority, machine } = settings.files
  const used = route.planned.peers.find((named) => named.machine === peer.machine)
  const identity = `ssl verify required verifyhost ${peer.machine} ca-file ${authority} crt ${machine}`
  // HAProxy would check the certificate against a server name, not against `verifyhost`; ALPN names the requested
  // route.
  const names = `alpn ${route.wanted} check-ssl check-alpn ${route.wanted}`
  return {
    backend: route.backend,
    name: peerName(peer.machine),
    host: (used ?? peer).host,
    port: (used ?? peer).port,
    active: used !== undefined,
    parameters: `backup ${identity} ${names} check ${watched(settings)}`,
  }
}

/**
 * The first refused connection takes a server out, and the first successful one puts it back. Each purge closes half of
 * the unused connections.
 */
function watched({ limits }: HaproxySettings): string {
  const { checkMs, failedCheckMs, upstreamIdleMs } = limits
  const times = `inter ${checkMs}ms fastinter ${failedCheckMs}ms downinter ${failedCheckMs}ms rise 1 fall 1`
  return `${times} observe layer4 error-limit 1 on-error mark-down pool-purge-delay ${Math.ceil(upstreamIdleMs / 4)}ms`
}
