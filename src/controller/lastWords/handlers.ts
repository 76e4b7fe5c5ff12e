import type { lastWordsOperations } from '../../api/lastWords.ts'
import type { Handlers, Rooms } from '../handlers.ts'

export const lastWordsHandlers = (rooms: Rooms): Handlers<keyof typeof lastWordsOperations> => ({
  lastWords: ({ params }) => rooms.lastWords.find(params.instance),
})
