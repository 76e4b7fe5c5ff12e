import type { Asked } from '../decision/base.ts'
import type { EventType, RecordedEvent } from '../events/event.ts'
import { rooms } from './rooms.ts'
import type { World } from './rooms.ts'

type Fold = (world: World, event: RecordedEvent, asked: Asked) => Partial<World>

const foldsByType = new Map<EventType, Fold[]>()
for (const { folds } of rooms) {
  for (const [type, fold] of Object.entries(folds) as [EventType, Fold][]) {
    // Each fold is called with events of its own type only.
    foldsByType.set(type, [...(foldsByType.get(type) ?? []), fold])
  }
}

/** False for an event that only a newer version of Tandem writes. */
export const isFolded = (type: string): boolean => foldsByType.has(type as EventType)

/**
 * Folds one event into the state: every room that it concerns sees the state before the event, and changes its own part.
 * Never refuses: an event in the log has happened. Does not change the given state.
 */
export function evolve(world: World, event: RecordedEvent): World {
  const { position } = event
  const asked: Asked = { position, at: Date.parse(event.at) }
  const parts = (foldsByType.get(event.type) ?? []).map((fold) => fold(world, event, asked))
  return Object.assign({}, world, { position }, ...parts) as World // parts of it
}
