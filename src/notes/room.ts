import { accepted, type Decision } from '../decision/refuse.ts'
import { roomOf } from '../decision/room.ts'
import { noSuchMachine } from '../fleet/decideMachine.ts'
import type { FleetWorld } from '../fleet/state.ts'
import { without } from '../lib/records.ts'
import type { NoteEvents } from '../events/noteEvents.ts'
import { noteLinks } from './links.ts'
import { noteWords } from './words.ts'

export interface NotesState {
  /** By machine; `at` in milliseconds. */
  notes: Record<string, { text: string; at: number }>
}

export type NotesWorld = FleetWorld & NotesState

interface NoteMachine {
  type: 'NoteMachine'
  machine: string
  /** `null` removes the note. */
  text: string | null
}

/** Notes that people leave on machines for each other. They change nothing. */
export const notes = roomOf<NotesWorld, NotesState, NoteEvents, NoteMachine>()({
  name: 'notes',
  words: noteWords,
  links: noteLinks,
  initial: { notes: {} },
  folds: {
    MachineNoted: ({ notes: known }, { data: { machine, text } }, { at }) => ({
      notes: text === null ? without(known, machine) : { ...known, [machine]: { text, at } },
    }),
    MachineRemoved: ({ notes: known }, { data }) => ({ notes: without(known, data.machine) }),
  },
  commands: { NoteMachine: noteMachine },
  desire: () => ({}),
})

function noteMachine(world: NotesWorld, { machine, text }: NoteMachine): Decision {
  if (!Object.hasOwn(world.machines, machine)) return noSuchMachine(world, machine)
  if ((world.notes[machine]?.text ?? null) === text) return { type: 'nothing' }
  return accepted({ type: 'MachineNoted', data: { machine, text } })
}
