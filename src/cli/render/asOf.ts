import type { PastStatus } from '../../api/past.ts'
import type { Paint } from '../paint.ts'

type AsOf = PastStatus['asOf']

/** The line above everything that is of the past. */
export const asOfLine = ({ position, at }: AsOf, paint: Paint): string =>
  paint('yellow', `as of position ${position}, ${at ?? 'before the first event'}`)

/** The time from which ages of the past count. */
export const timeOf = ({ at }: AsOf): number => (at === null ? 0 : Date.parse(at))
