/** Where clouds give every program of a machine the rights of the machine. Only http: at 53, some of them resolve names. */
export const metadataAddresses = { ip: '169.254.169.254', ip6: 'fd00:ec2::254' } as const
export const metadataPort = 80

/** How `uses: { address }` names it. */
export const metadataUses: readonly string[] = [
  ...[metadataAddresses.ip, `[${metadataAddresses.ip6}]`, 'metadata.google.internal'].map(
    (host) => `${host}:${metadataPort}`,
  ),
]
