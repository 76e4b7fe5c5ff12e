import { z } from 'zod'
import { machine, position, time, type Operation } from './operation.ts'

/** The text of a note. */
export const noteText = z
  .string()
  .trim()
  .min(1)
  .max(500, 'a note has at most 500 characters')
  .regex(/^[^\p{Cc}]*$/u, 'a note is one line of text')

export const noteOperations = {
  noteMachine: {
    dryRun: true,
    ...{ method: 'POST', path: '/machines/:machine/note', role: 'operator', summary: 'leave a note on a machine' },
    params: z.object({ machine }),
    body: z.object({ text: noteText.nullable().describe('replaces the note; null removes it') }),
    response: z.object({ position }),
  },
} as const satisfies Record<string, Operation>

/** This feature's part of the status. */
export const notesStatus = {
  notes: z
    .array(z.object({ machine, text: z.string(), at: time }))
    .default([])
    .describe('notes that people left on machines'),
}
