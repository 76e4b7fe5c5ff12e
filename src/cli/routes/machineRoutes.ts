import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { featureMachineCommands } from '../features.ts'
import { on, oneMachine } from './parameters.ts'

export const machines = command({
  brief: 'Show the machines and their state',
  example: 'tandem machines',
  parameters: {},
  load: async () => (await import('../commands/machines.ts')).machines,
})

export const machine = buildRouteMap({
  docs: { brief: 'Add, drain, put back, reboot and patch machines' },
  routes: {
    add: command({
      changes: true,
      brief: 'Print the command that makes a machine join the cluster; the cluster file must name the machine',
      about: 'The command works once, within one hour. A second call revokes the first command.',
      example: 'tandem machine add a\ntandem machine add a --cloud-init > a.cloud-config',
      parameters: {
        flags: { cloudInit: on('Print a cloud-init document that runs the command') },
        positional: oneMachine,
      },
      load: async () => (await import('../commands/founding.ts')).addMachine,
    }),
    drain: command({
      dryRun: true,
      brief: 'Take a machine out of traffic and wait until its requests are finished',
      example: 'tandem machine drain a\ntandem machine drain a --stop',
      parameters: {
        flags: {
          force: on('Proceed even if no other machine can take over its last ready instance or its address'),
          stop: on('Then stop its services; tandem machine ready starts them again'),
        },
        positional: oneMachine,
      },
      load: async () => (await import('../commands/machines.ts')).drainMachine,
    }),
    ready: command({
      dryRun: true,
      brief: 'Put a machine back in traffic',
      example: 'tandem machine ready a',
      parameters: { positional: oneMachine },
      load: async () => (await import('../commands/machines.ts')).readyMachine,
    }),
    ...featureMachineCommands,
  },
})
