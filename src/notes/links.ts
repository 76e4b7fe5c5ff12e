import type { Links } from '../decision/links.ts'
import type { NoteEvents } from '../events/noteEvents.ts'

export const noteLinks: Links<NoteEvents> = { MachineNoted: () => ({}) }
