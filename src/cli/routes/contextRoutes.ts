import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { needed, text, word } from './parameters.ts'

const contextName = { kind: 'tuple', parameters: [word('NAME', 'The name of a context')] } as const
export const context = buildRouteMap({
  docs: { brief: 'Manage the clusters this user knows' },
  routes: {
    list: command({
      brief: 'Show the contexts; the current one is marked',
      example: 'tandem context list',
      parameters: {},
      load: async () => (await import('../commands/contexts.ts')).listContexts,
    }),
    use: command({
      brief: 'Make a context the current one',
      example: 'tandem context use production',
      parameters: { positional: contextName },
      load: async () => (await import('../commands/contexts.ts')).useContext,
    }),
    add: command({
      brief: 'Name a cluster: its address and a token for it',
      about: 'The token is taken from --token-file, else from TANDEM_TOKEN. The first context becomes the current one.',
      example: 'tandem context add production --url http://10.0.0.10:7480 --token-file token.txt',
      parameters: {
        flags: {
          url: needed('URL', "The controller's address"),
          tokenFile: text('FILE', 'A file that holds the token; - reads standard input'),
        },
        positional: contextName,
      },
      load: async () => (await import('../commands/contexts.ts')).addContext,
    }),
    remove: command({
      brief: 'Forget a context; the cluster itself is not touched',
      example: 'tandem context remove old',
      parameters: { positional: contextName },
      load: async () => (await import('../commands/contexts.ts')).removeContext,
    }),
  },
})
