import type { checksOperations } from '../../api/checks.ts'
import type { Handlers, Rooms } from '../handlers.ts'

export const checksHandlers = ({ checks }: Rooms): Handlers<keyof typeof checksOperations> => ({
  checks: () => ({ checks: checks.all }),
})
