import { limits } from '../decision/limits.ts'
import type { Event } from '../events/event.ts'
import { evolve } from './evolve.ts'
import { momentOf, type Given } from './moment.ts'
import { rooms } from './rooms.ts'
import type { World } from './rooms.ts'

/** Folds events in as if they had been appended at `at`. */
export function applyAll(world: World, events: Event[], at: number): World {
  let { position } = world
  return events.reduce((folded, event) => {
    return evolve(folded, { ...event, position: ++position, at: new Date(at).toISOString() })
  }, world)
}

/** All events that follow now from the state and the reports. Decides again until nothing more follows. */
export function advance(before: World, given: Given): Event[] {
  const all: Event[] = []
  let world = before
  for (let round = 0; round < limits.advanceRounds; round++) {
    const events = next(world, given)
    if (events.length === 0) return all
    world = applyAll(world, events, given.at)
    all.push(...events)
  }
  throw new Error(`decisions did not settle; last: ${JSON.stringify(all.slice(-6))}`)
}

function next(world: World, given: Given): Event[] {
  const moment = momentOf(world, given)
  for (const room of rooms) {
    const events = room.advance?.(world, moment) ?? []
    if (events.length > 0) return events
  }
  return []
}
