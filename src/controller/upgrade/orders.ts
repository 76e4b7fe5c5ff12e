import { programContent } from '../../identity/order.ts'
import type { Orders } from '../../protocol/slices.ts'
import type { Sign, Unsigned } from '../signing.ts'

export const programOrders = ({ program }: Unsigned, sign: Sign): Pick<Orders, 'program'> => ({
  program: program ? sign('program', { id: program.key, attempt: 0 }, programContent(program)) : null,
})
