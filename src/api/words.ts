import { z } from 'zod'

/** How an event reads to people. */
export const wordsSchema = z.object({
  sign: z.enum(['running', 'done', 'failed', 'reverted', 'moved', 'lost', 'warn', 'note']),
  subject: z.string().describe('a sentence is made of `subject` and `text`'),
  text: z.string(),
  service: z.string().nullable(),
  machine: z.string().nullable(),
  rollout: z.string().nullable(),
  instance: z.string().nullable(),
})
