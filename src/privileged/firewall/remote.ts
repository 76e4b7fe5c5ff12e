import { z } from 'zod'
import { canarySings } from '../../drivers/firewall/canary.ts'
import type { FirewallDriver } from '../../drivers/firewall/firewall.ts'
import { whyNoNft } from '../../drivers/firewall/nft.ts'
import { noAnswer as none } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

const seenSchema = z
  .object({
    isRestored: z.boolean(),
    calls: z.array(
      z.object({ from: z.string(), to: z.string(), port: z.number(), seen: z.number(), refused: z.number() }),
    ),
    problems: z.array(z.string()),
  })
  .nullable()

export const remoteFirewall = (call: CallPrivileged): FirewallDriver => ({
  hold: async (guard) => void (await call('firewall.hold', { guard }, none)),
  look: () => call('firewall.look', {}, seenSchema),
  seemsThere: canarySings,
  get why() {
    return whyNoNft()
  },
})
