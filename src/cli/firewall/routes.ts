import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { known, word } from '../routes/parameters.ts'

export const firewall = buildRouteMap({
  docs: { brief: 'Show who may connect to which service, and who was refused' },
  routes: {
    show: command({
      brief: 'Show the connections that machines counted in the last 7 days, and which of them are refused',
      about:
        'The kernel of each machine lets those services connect to another one that name it in `uses`.\n' +
        'cluster.yaml says whether the others are refused: firewall: { mode: observe | enforce }.',
      example: 'tandem firewall show',
      parameters: {},
      load: async () => (await import('./commands.ts')).showFirewall,
    }),
    why: command({
      brief: 'Show why a service or a user of a machine may connect to a service, or not',
      example: 'tandem firewall why shop postgres\ntandem firewall why zabbix postgres',
      parameters: {
        positional: {
          kind: 'tuple',
          parameters: [
            known('services', word('SOURCE', 'A service, or a user of a machine')),
            known('services', word('SERVICE', 'The service to connect to')),
          ],
        },
      },
      load: async () => (await import('./commands.ts')).whyFirewall,
    }),
  },
})
