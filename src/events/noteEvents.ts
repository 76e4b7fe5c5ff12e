export interface NoteEvents {
  /** People leave a note on a machine for each other; `null` removes it. */
  MachineNoted: { machine: string; text: string | null }
}

/** See `eventVersions`. */
export const noteVersions: Record<keyof NoteEvents, number> = {
  MachineNoted: 1,
}
