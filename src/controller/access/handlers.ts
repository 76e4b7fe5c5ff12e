import type { accessOperations } from '../../api/access.ts'
import type { Handlers, Rooms } from '../handlers.ts'

export const accessHandlers = ({ accesses }: Rooms): Handlers<keyof typeof accessOperations> => ({
  openAccess: async ({ body }, { name }) => {
    const { access, service, instance, machine } = await accesses.open(body, name)
    return { channel: access, access, service, instance, machine }
  },
  openForward: async ({ body }, { name }) => {
    const opened = await accesses.openForward(body, name)
    return { channel: opened.access, ...opened }
  },
  openConnection: ({ params }) => accesses.connect(params.access),
})
