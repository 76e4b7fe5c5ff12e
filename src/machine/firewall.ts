import type { FeatureParts } from '../agent/features.ts'
import type { FirewallDriver } from '../drivers/firewall/firewall.ts'
import { firewallUnit } from '../layout/firewall.ts'
import type { MachineSide, Making } from './machineSide.ts'

/** Who may connect to which service. When Tandem leaves a machine whose services go on, the rules stay. */
export const firewall = {
  drivers: async ({ root }: Making): Promise<{ firewall: FirewallDriver }> => {
    if (root !== null) return { firewall: (await import('../privileged/firewall/remote.ts')).remoteFirewall(root) }
    const { noFirewall } = await import('../drivers/firewall/firewall.ts')
    return { firewall: noFirewall('no privileged helper runs here: all programs of this machine reach its services') }
  },
  agent: async () => {
    const { firewall: feature } = await import('../agent/firewall/firewall.ts')
    return ({ firewall: driver }: { firewall: FirewallDriver }) => ({
      make: ({ problems, clock, changed }: FeatureParts) => feature({ driver, problems, clock, changed }),
    })
  },
  operations: async ({ folder, users, guards }) => {
    const [{ openFirewall }, { firewallOperations }] = await Promise.all([
      import('../privileged/firewall/openFirewall.ts'),
      import('../privileged/firewall/operations.ts'),
    ])
    // One for the whole helper: services and rules change in turn.
    const driver = openFirewall(folder.path, users)
    guards.push(driver)
    return firewallOperations(driver)
  },
  confines: async () => {
    const { whyNoNft } = await import('../drivers/firewall/nft.ts')
    return () => whyNoNft() === null
  },
  units: { standing: [firewallUnit] },
  leaving: {
    staying: [firewallUnit],
    remove: async (folder) => {
      const [{ openFirewall }, { serviceUsers }] = await Promise.all([
        import('../privileged/firewall/openFirewall.ts'),
        import('../drivers/supervisor/systemd/serviceUsers.ts'),
      ])
      await openFirewall(folder, serviceUsers()).hold(null)
    },
  },
} satisfies MachineSide
