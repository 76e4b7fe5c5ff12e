import { firewallRulesFile, firewallTable, firewallUnit } from '../layout/firewall.ts'
import type { OwnUnit } from './parts.ts'

export const firewallUnits = (data: string): OwnUnit[] => [
  { name: firewallUnit, text: firewallText(firewallRulesFile(data)), isEnabled: true, words: null },
]

/**
 * Loads the rules before the network and the first service, and after the machine's own rules: whatever loads those
 * (`flush ruleset` in /etc/nftables.conf) takes all tables away, this one too.
 */
const firewallText = (file: string): string => `# Written by Tandem; docs/files.md lists all files that Tandem writes.
[Unit]
Description=Tandem's firewall: who may connect to which service
DefaultDependencies=no
RequiresMountsFor=${file}
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
After=nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'test ! -e ${file} || exec nft -f ${file}'
ExecReload=/bin/sh -c 'test ! -e ${file} || exec nft -f ${file}'
ExecStop=-/bin/sh -c 'test ! -e ${file} || exec nft delete table inet ${firewallTable}'

[Install]
WantedBy=sysinit.target nftables.service
`
