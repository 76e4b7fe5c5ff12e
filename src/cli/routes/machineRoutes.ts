import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { on, word } from './parameters.ts'

export const machines = command({
  brief: 'Show the machines',
  example: 'tandem machines',
  parameters: {},
  load: async () => (await import('../commands/machines.ts')).machines,
})

const oneMachine = { kind: 'tuple', parameters: [word('MACHINE', 'The name of a machine')] } as const
export const machine = buildRouteMap({
  docs: { brief: 'Take a machine out of traffic and put it back' },
  routes: {
    drain: command({
      brief: 'Take a machine out of traffic; waits until its work is done',
      example: 'tandem machine drain a',
      parameters: {
        flags: { force: on('Also when it has the last ready instance of a service') },
        positional: oneMachine,
      },
      load: async () => (await import('../commands/machines.ts')).drainMachine,
    }),
    ready: command({
      brief: 'Put a machine back in traffic',
      example: 'tandem machine ready a',
      parameters: { positional: oneMachine },
      load: async () => (await import('../commands/machines.ts')).readyMachine,
    }),
  },
})
