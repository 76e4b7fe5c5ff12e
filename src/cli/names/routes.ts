import { command } from '../command.ts'
import { known, text, word } from '../routes/parameters.ts'

export const names = command({
  brief: 'Show the names of services, for programs on the machines',
  about:
    'Each machine keeps the names in /etc/hosts: SERVICE.tandem.internal. A name never changes its address, and its\n' +
    "machine's HAProxy leads to a ready instance. On a laptop there are only addresses.",
  example: 'tandem names',
  parameters: {},
  load: async () => (await import('./commands.ts')).showNames,
})

export const resolve = command({
  brief: 'Show who answers to the name of a service, from each machine, and why',
  example: 'tandem resolve postgres\ntandem resolve postgres.tandem.internal --from a',
  parameters: {
    flags: { from: known('machines', text('MACHINE', 'Only for programs on this machine')) },
    positional: {
      kind: 'tuple',
      parameters: [known('services', word('NAME', 'Name or address of a service'))],
    },
  },
  load: async () => (await import('./commands.ts')).resolveName,
})
