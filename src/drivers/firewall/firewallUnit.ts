import { tableName } from './tableText.ts'

/**
 * Loads the rules before the network and the first service, and after the machine's own rules: whatever loads those
 * (`flush ruleset` in /etc/nftables.conf) takes all tables away, this one too.
 */
export const firewallUnitText = (
  nft: string,
  file: string,
): string => `# Written by Tandem; docs/files.md lists all files that Tandem writes.
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
ConditionPathExists=${file}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${nft} -f ${file}
ExecReload=${nft} -f ${file}
ExecStop=-${nft} delete table inet ${tableName}

[Install]
WantedBy=sysinit.target nftables.service
`
