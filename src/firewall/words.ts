import { change, type Words } from '../decision/words.ts'
import type { FirewallEvents } from '../events/firewallEvents.ts'

export const firewallWords: Words<FirewallEvents> = {
  ConnectionRefused: ({ from, to, machine, port, enforced }) =>
    change(
      'warn',
      `service ${to}`,
      `${enforced ? 'refused' : 'would refuse'} a connection of ${from} to port ${port} on ${machine}: no \`uses\` names it`,
      { machine, service: to },
    ),
}
