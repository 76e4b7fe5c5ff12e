import { z } from 'zod'
import { checkupSchema } from '../protocol/checkup.ts'
import { time, type Operation } from './operation.ts'

const checkSchema = checkupSchema.extend({ at: time.describe('when it was made, by the clock of the controller') })
export type Check = z.infer<typeof checkSchema>

export const checksOperations = {
  checks: {
    ...{ method: 'GET', path: '/checks', role: 'reader' },
    summary: 'the newest checkup of the controller and of each machine, which the controller asks for every 5 minutes',
    response: z.object({ checks: z.array(checkSchema) }),
  },
} as const satisfies Record<string, Operation>
