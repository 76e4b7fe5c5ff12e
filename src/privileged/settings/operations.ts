import { z } from 'zod'
import { settingsContent } from '../../identity/order.ts'
import type { HelperContext } from '../helperContext.ts'
import { operation, type Operations } from '../operation.ts'
import { acceptedOrder, orderShape } from '../orders.ts'

const settingsShape = z.strictObject({
  address: z.string().max(300),
  addresses: z.array(z.string().max(100)).max(100),
  order: orderShape,
})

/** This machine's part of the cluster file. */
export const settingsOperations = ({ folder, now }: Pick<HelperContext, 'folder' | 'now'>): Operations => ({
  'settings.take': operation(
    settingsShape,
    async ({ address, addresses: virtual, order }) => {
      const known = folder.readMachine()
      const content = settingsContent({ address, addresses: virtual })
      const accepted = acceptedOrder({ folder, kind: 'settings', signed: order, content, now: now() })
      folder.writeMachine({ ...known, address, addresses: virtual })
      folder.remember('settings', { ...accepted, mark: '', begun: true })
    },
    'settings',
  ),
})
