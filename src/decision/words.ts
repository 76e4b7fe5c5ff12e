import type { EventData } from '../events/event.ts'

/** An event as people read it: a sentence that begins with its subject, and where it happened. */
export interface Wording {
  /** The kind of sign that stands before it. */
  sign: 'running' | 'done' | 'failed' | 'reverted' | 'moved' | 'lost' | 'warn' | 'note'
  subject: string
  /** The rest of the sentence. */
  text: string
  /** Something changed for users or for people on call; all other events are steps on the way. */
  isChange: boolean
  service: string | null
  machine: string | null
  rollout: string | null
  instance: string | null
}

/** How a room words each event that it adds to the log. */
export type Words<Added> = { [T in keyof Added]: (data: Added[T]) => Wording }

/** Every event type, however it is worded. */
export type EveryWord = Words<EventData>

type Places = Partial<Pick<Wording, 'service' | 'machine' | 'rollout' | 'instance'>>

const worded =
  (isChange: boolean) =>
  (sign: Wording['sign'], subject: string, text: string, places: Places = {}): Wording => ({
    ...{ sign, subject, text, isChange, service: null, machine: null, rollout: null, instance: null },
    ...places,
  })

export const change = worded(true)
export const step = worded(false)
