import type { BoundDirecting, ControllerSelf, Moment } from '../decision/moment.ts'
import type { Observed } from '../decision/observed.ts'
import { rooms } from './rooms.ts'
import type { World } from './rooms.ts'

/** The part of a moment that comes from outside the state. */
export interface Given {
  observed: Observed
  self: ControllerSelf
  at: number
  now: number | null
}

export const momentOf = (world: World, given: Given): Moment => ({
  ...given,
  operations: rooms
    .flatMap((room) => room.operation?.(world) ?? [])
    .toSorted((a, b) => Number(a.isStep ?? false) - Number(b.isStep ?? false)),
  directing: directingOf(world),
})

function directingOf(world: World): BoundDirecting {
  const all = rooms.flatMap(({ directing }) => directing ?? [])
  const first = <T>(values: (T | null)[]): T | null => values.find((value) => value !== null) ?? null
  return {
    alone: (...of) => first(all.map((one) => one.alone(world, ...of))),
    hasLeft: (...of) => all.every((one) => one.hasLeft(world, ...of)),
    whyNotBack: (...of) => first(all.map((one) => one.whyNotBack(world, ...of))),
    moveMs: (...of) => Math.max(...all.map((one) => one.moveMs(world, ...of) ?? 0)) || null,
  }
}
