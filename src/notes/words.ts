import { change, type Words } from '../decision/words.ts'
import type { NoteEvents } from '../events/noteEvents.ts'

export const noteWords: Words<NoteEvents> = {
  MachineNoted: ({ machine, text }) =>
    change('note', `machine ${machine}`, text === null ? 'has no note any more' : `was noted: ${text}`, { machine }),
}
