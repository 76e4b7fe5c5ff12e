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
  docs: { brief: 'Let a machine join; take one out of traffic and put it back' },
  routes: {
    add: command({
      brief: 'Print the command with which a machine of the cluster file joins',
      about: 'It works once, within the hour. A second call makes the first command worthless.',
      example: 'tandem machine add a\ntandem machine add a --cloud-init > a.cloud-config',
      parameters: {
        flags: { cloudInit: on('Print a cloud-init document that runs it') },
        positional: oneMachine,
      },
      load: async () => (await import('../commands/founding.ts')).addMachine,
    }),
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

const oneFile = { kind: 'tuple', parameters: [word('FILE', 'A cluster.yaml')] } as const
export const cluster = buildRouteMap({
  docs: { brief: 'Say which machines are of the cluster, and where it takes requests' },
  routes: {
    plan: command({
      brief: 'Show what applying a cluster file would change',
      example: 'tandem cluster plan cluster.yaml',
      parameters: { positional: oneFile },
      load: async () => (await import('../commands/cluster.ts')).planCluster,
    }),
    apply: command({
      brief: 'Take a cluster file as what holds from now on; machines it no longer names are removed',
      example: 'tandem cluster apply cluster.yaml',
      parameters: {
        flags: { force: on('Also when a removed machine has the last ready instance of a service') },
        positional: oneFile,
      },
      load: async () => (await import('../commands/cluster.ts')).applyCluster,
    }),
  },
})
