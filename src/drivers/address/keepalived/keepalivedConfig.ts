import { isIPv6 } from 'node:net'
import { nameOf, trackFile } from './keepalivedFiles.ts'
import { advertMs, hostPrefix, type KeepalivedSettings, type VirtualAddress } from './keepalivedSettings.ts'

/**
 * keepalived's whole configuration (keepalived.conf(5)), the same bytes for the same settings. One VRRP instance for each
 * address. Both sides begin as BACKUP with nopreempt: a machine that returns takes nothing from one that holds. A 1 in the
 * address's track file makes the instance FAULT: it says so with priority 0, and another machine takes over at once.
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
    ...settings.addresses.flatMap((address) => ['', ...instance(settings, address)]),
  ]
  return `${lines.join('\n')}\n`
}

/** Gratuitous ARP again each second: a switch or neighbour that learnt wrong from a machine that has given up learns right. */
function globalSection({ machine }: KeepalivedSettings): string[] {
  return [
    'global_defs {',
    `  router_id ${machine}`,
    '  vrrp_version 3',
    '  vrrp_garp_master_delay 1',
    '  vrrp_garp_master_refresh 1',
    '  vrrp_garp_master_refresh_repeat 1',
    '}',
  ]
}

function instance(settings: KeepalivedSettings, { address, routerId, priority }: VirtualAddress): string[] {
  const { own, peers } = settings
  // VRRP for one family runs over the other only for addresses it does not announce itself.
  const block = isIPv6(address) === isIPv6(own) ? 'virtual_ipaddress' : 'virtual_ipaddress_excluded'
  return [
    `vrrp_instance ${nameOf(address)} {`,
    `  interface ${settings.interface}`,
    '  state BACKUP',
    '  nopreempt',
    `  virtual_router_id ${routerId}`,
    `  priority ${priority}`,
    `  advert_int ${advertMs / 1000}`,
    `  unicast_src_ip ${own}`,
    ...(peers.length === 0 ? [] : ['  unicast_peer {', ...peers.map((peer) => `    ${peer}`), '  }']),
    `  ${block} {`,
    `    ${hostPrefix(address)}`,
    '  }',
    '  track_file {',
    `    ${nameOf(address)}`,
    '  }',
    '}',
  ]
}
