import type { numbersOperations } from '../../api/numbers.ts'
import type { Handlers, Rooms } from '../handlers.ts'

export const numbersHandlers = (rooms: Rooms): Handlers<keyof typeof numbersOperations> => ({
  numbers: () => rooms.numbers.newest(),
  rolloutNumbers: ({ params, query: { until } }) =>
    rooms.rolloutRecords.find(params.id, until === undefined ? Infinity : Date.parse(until)),
  numbersSeries: ({ query: { service = null, since } }) =>
    rooms.numbers.series(service, since === undefined ? -Infinity : Date.parse(since)),
})
