import type { Wording } from '../decision/words.ts'
import type { Event, RecordedEvent } from '../events/event.ts'
import { words } from './rooms.ts'

/** An event as people read it. Pure: the same event always reads the same. */
export const wordingOf = (event: Event): Wording => {
  const say = words[event.type] as (data: Event['data']) => Wording // each is called with data of its own type
  return say(event.data)
}

export const worded = (event: RecordedEvent): RecordedEvent & { words: Wording } => ({
  ...event,
  words: wordingOf(event),
})
