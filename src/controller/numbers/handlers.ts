import type { numbersOperations } from '../../api/numbers.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Handlers, Rooms } from '../handlers.ts'

export const numbersHandlers = (rooms: Rooms): Handlers<keyof typeof numbersOperations> => ({
  numbers: () => rooms.numbers.newest(),
  rolloutNumbers: ({ params }) => rooms.rolloutRecords.find(params.id),
  numbersSeries: ({ query }) => rooms.numbers.series(query.service ?? null, timeOf(query.since)),
})

function timeOf(since: string | undefined): number {
  const at = since === undefined ? -Infinity : Date.parse(since)
  if (Number.isNaN(at)) throw new OperatorError('E_USAGE', 'since is not a time as in ISO 8601', { subject: 'since' })
  return at
}
