export interface NoteEvents {
  /** People leave a note on a machine for each other; `null` removes it. */
  MachineNoted: { machine: string; text: string | null }
}

declare module './event.ts' {
  interface EventData extends NoteEvents {}
}
