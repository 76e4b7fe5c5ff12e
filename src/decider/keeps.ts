import { rooms, type World } from './rooms.ts'

/** Releases that a room still needs: the store must not collect them. */
export const keptByRooms = (world: World): Set<string> => new Set(rooms.flatMap((room) => room.keeps?.(world) ?? []))
