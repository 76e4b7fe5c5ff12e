import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { known, needed, on, text, word } from './parameters.ts'

const maybeContext = {
  kind: 'tuple',
  parameters: [
    { ...known('contexts', word('NAME', 'Name of a context (default: the context in use)')), optional: true },
  ],
} as const
const contextName = { kind: 'tuple', parameters: [known('contexts', word('NAME', 'Name of a context'))] } as const
export const context = buildRouteMap({
  docs: { brief: 'Manage contexts: the clusters this user can reach' },
  routes: {
    list: command({
      brief: 'List the contexts; * marks the current one',
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
      brief: 'Save a context: the address and fingerprint of a cluster, and a token for it',
      about:
        'Reads the token from --token-file, else from TANDEM_TOKEN. Checks that the controller accepts the token before it saves the context. ' +
        'The first context becomes the current one. On a computer that has the context, tandem context show --invite prints the whole command.',
      example: 'tandem context add production --url https://10.0.0.10:7480 --pin 3f9c… --token-file token.txt',
      parameters: {
        flags: {
          url: needed('URL', 'Address of the controller'),
          pin: text(
            'SHA256',
            "Fingerprint of the cluster's authority; the controller is trusted only if this authority signed its certificate",
          ),
          tokenFile: text('FILE', 'File that holds the token; - reads standard input'),
        },
        positional: contextName,
      },
      load: async () => (await import('../commands/contexts.ts')).addContext,
    }),
    show: command({
      brief: 'Show a context, or print the command that creates it on another computer',
      example: 'tandem context show\ntandem context show production --invite',
      parameters: {
        flags: { invite: on('Print the command for another computer; it contains the token of this context') },
        positional: maybeContext,
      },
      load: async () => (await import('../commands/contexts.ts')).showContext,
    }),
    remove: command({
      brief: 'Remove a context from this computer; the cluster does not change',
      example: 'tandem context remove old',
      parameters: { positional: contextName },
      load: async () => (await import('../commands/contexts.ts')).removeContext,
    }),
  },
})
