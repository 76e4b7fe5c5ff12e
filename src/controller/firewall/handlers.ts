import type { firewallOperations } from '../../api/firewall.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import { guardView, whyView } from './view.ts'

export const firewallHandlers = ({ controller, calls }: Rooms): Handlers<keyof typeof firewallOperations> => ({
  firewall: () => guardView(controller.state, controller.observed, calls.counts),
  firewallWhy: ({ query: { from, to } }) => whyView(controller.state, calls.counts, from, to),
})
