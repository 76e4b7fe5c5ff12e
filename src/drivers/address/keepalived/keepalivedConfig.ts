import { isIPv6 } from 'node:net'
import { sealed, unsealed } from '../../../lib/seal.ts'
import { nameOf, trackFile } from './keepalivedFiles.ts'
import { hostPrefix, type KeepalivedSettings, type VirtualAddress } from './keepalivedSettings.ts'

/**
 * The complete configuration of keepalived (keepalived.conf(5)), with the same bytes for the same settings. One VRRP
 * instance for each address. All machines begin as BACKUP with nopreempt: a machine that returns takes nothing from a
 * holder. A 1 in the track file of an address puts the instance into FAULT: keepalived advertises priority 0, and
 * another machine takes over at once.
 */
export function keepalivedConfig(settings: KeepalivedSettings, run: string): string {
  const lines = [
    `# Written by Tandem for machine ${settings.machine}: changes made here are overwritten.`,
    ...globalSection(settings),
    ...settings.addresses.flatMap(({ address }) => [
      '',
      `track_file ${nameOf(address)} {`,
      `  file ${trackFile(run, address)}`,
      '  weight 0',
      '  init_file 0',
      '}',
    ]),
    ...carriers(settings).flatMap(({ address, carried }) => ['', ...instance(settings, address, carried)]),
  ]
  return sealed(lines.join('\n'))
}

/** The same configuration for the time when no guard writes the track files any more: plain VRRP. */
export const withoutGuard = (config: string): string =>
  unsealed(config)
    .replaceAll(/^track_file [^]*?^\}\n\n?/gm, '')
    .replaceAll(/^ {2}track_file \{\n[^]*?^ {2}\}\n/gm, '')

/**
 * Real-time priority: on a machine whose processors are all busy, an advertisement that is late would move the address.
 * keepalived continues without it where the kernel refuses. Its own limit of 10 ms for one piece of work (`rttime`, in
 * microseconds) would kill it.
 *
 * Repeats gratuitous ARP each second: a switch or neighbour that learnt a wrong entry from a machine that has given up
 * an address learns the right one.
 */
function globalSection({ machine }: KeepalivedSettings): string[] {
  return [
    'global_defs {',
    `  router_id ${machine}`,
    '  vrrp_version 3',
    '  vrrp_rt_priority 1',
    '  vrrp_rlimit_rttime 1000000',
    '  vrrp_garp_master_delay 1',
    '  vrrp_garp_master_refresh 1',
    '  vrrp_garp_master_refresh_repeat 1',
    '}',
  ]
}

/**
 * VRRP of one family moves addresses of that family; an address of the other family moves with the first of them
 * (keepalived.conf(5), virtual_ipaddress_excluded).
 */
function carriers({ own, addresses }: KeepalivedSettings): { address: VirtualAddress; carried: string[] }[] {
  const [first, ...others] = addresses.filter(({ address }) => isIPv6(address) === isIPv6(own))
  const carried = addresses.filter(({ address }) => isIPv6(address) !== isIPv6(own)).map(({ address }) => address)
  if (!first)
    throw new Error(
      `no virtual address has the address family of this machine's own address ${own}: VRRP cannot move any`,
    )
  return [{ address: first, carried }, ...others.map((address) => ({ address, carried: [] }))]
}

function instance(settings: KeepalivedSettings, virtual: VirtualAddress, carried: string[]): string[] {
  const { own, peers, advert } = settings
  const { address, routerId, priority } = virtual
  const block = (name: string, lines: string[]): string[] =>
    lines.length === 0 ? [] : [`  ${name} {`, ...lines.map((line) => `    ${line}`), '  }']
  return [
    `vrrp_instance ${nameOf(address)} {`,
    `  interface ${settings.interface}`,
    '  state BACKUP',
    '  nopreempt',
    `  virtual_router_id ${routerId}`,
    `  priority ${priority}`,
    `  advert_int ${advert / 1000}`,
    `  unicast_src_ip ${own}`,
    // Without peers, it uses itself as its peer: without any peer it would use multicast, and drop the address when a
    // peer appears.
    ...block('unicast_peer', peers.length > 0 ? peers : [isIPv6(own) ? '::1' : '127.0.0.1']),
    ...block('virtual_ipaddress', [hostPrefix(address)]),
    ...block('virtual_ipaddress_excluded', carried.map(hostPrefix)),
    ...block('track_file', [address, ...carried].map(nameOf)),
    '}',
  ]
}
