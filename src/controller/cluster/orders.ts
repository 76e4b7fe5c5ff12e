import { settingsContent } from '../../identity/order.ts'
import type { Orders } from '../../protocol/slices.ts'
import type { Sign, Unsigned } from '../signing.ts'

export const settingsOrders = ({ settings }: Unsigned, sign: Sign): Pick<Orders, 'settings'> => ({
  settings: settings ? sign('settings', { id: '', attempt: 0 }, settingsContent(settings)) : null,
})
