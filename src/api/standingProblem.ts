import { z } from 'zod'
import { time } from './operation.ts'

const nextStepSchema = z.object({
  command: z.string().nullable().describe('as it is typed; null: a step that is no command'),
  does: z.string().describe('empty: the command says it'),
})

/** Something that is wrong now and needs attention. */
export const standingProblemSchema = z.object({
  tone: z.enum(['bad', 'warn']).describe('bad: users notice it now, or soon'),
  word: z.string().describe('its kind in one or two words'),
  subject: z.string().describe('the machine, service or address; `text` begins with it'),
  text: z.string().describe('a sentence'),
  next: z.array(nextStepSchema),
  since: time.nullable().describe('null: not known'),
  service: z.string().nullable(),
  machine: z.string().nullable(),
  instance: z.string().nullable().describe('the instance whose last lines show the cause'),
})
export type StandingProblem = z.infer<typeof standingProblemSchema>

/** A problem with what is not said left empty. */
export const problem = (
  given: Pick<StandingProblem, 'tone' | 'word' | 'subject' | 'text'> & Partial<StandingProblem>,
): StandingProblem => ({ next: [], since: null, service: null, machine: null, instance: null, ...given })

/** The problem on one line, with its next steps. */
export const inOneLine = ({ text, next }: StandingProblem): string =>
  next.length === 0 ? text : `${text}; ${next.map(step).join(', ')}`

const step = ({ command, does }: StandingProblem['next'][number]): string =>
  [command, does].filter((part) => part !== null && part !== '').join(' ')
