import type { numbersOperations } from '../../api/numbers.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Handlers, Rooms } from '../handlers.ts'

export const numbersHandlers = (rooms: Rooms): Handlers<keyof typeof numbersOperations> => ({
  numbers: () => rooms.numbers.newest(),
  rolloutNumbers: ({ params, query: { until } }) =>
    rooms.rolloutRecords.find(params.id, until === undefined ? Infinity : timeOf('until', until)),
  numbersSeries: ({ query: { service = null, since } }) =>
    rooms.numbers.series(service, since === undefined ? -Infinity : timeOf('since', since)),
})

function timeOf(subject: string, text: string): number {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new OperatorError('E_USAGE', `${subject} is not a time as in ISO 8601`, { subject })
  return at
}
