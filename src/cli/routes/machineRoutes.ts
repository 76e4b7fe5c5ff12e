import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { parseWithin } from '../flagValues.ts'
import { known, needed, on, word } from './parameters.ts'

export const machines = command({
  brief: 'Show the machines',
  example: 'tandem machines',
  parameters: {},
  load: async () => (await import('../commands/machines.ts')).machines,
})

const oneMachine = { kind: 'tuple', parameters: [known('machines', word('MACHINE', 'The name of a machine'))] } as const
export const machine = buildRouteMap({
  docs: { brief: 'Let a machine join; take one out of traffic and put it back; restart and patch' },
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
      example: 'tandem machine drain a\ntandem machine drain a --stop',
      parameters: {
        flags: {
          force: on('Also when no other machine can take over: a last ready instance, or its address'),
          stop: on('Then stop what runs there; machine ready starts it again'),
        },
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
    reboot: command({
      brief: 'Drain a machine, restart it, wait until it is well, put it back',
      about: 'Its services come back by themselves; no request is lost while another machine has them.',
      example: 'tandem machine reboot a',
      parameters: {
        flags: { force: on('Also when no other machine can take over: a last ready instance, or its address') },
        positional: oneMachine,
      },
      load: async () => (await import('../commands/maintenance.ts')).rebootMachine,
    }),
    patch: command({
      brief: 'Drain, run a script as root, restart, wait, put back: one machine, or each in turn',
      about:
        'Stops at the first machine that fails or does not come back; tandem maintenance resume goes on from there.\n' +
        'The script runs by /bin/sh, or by what its first line names. Its output: journalctl -t tandem-maintenance',
      example: 'tandem machine patch --all --script patch.sh\ntandem machine patch a --script patch.sh --no-reboot',
      parameters: {
        flags: {
          all: on('Every machine, one after the other'),
          script: needed('FILE', 'What to run, at most 64 KiB'),
          within: {
            ...{ kind: 'parsed', parse: parseWithin, placeholder: 'TIME', default: '30m' },
            brief: 'How long the script may take on each machine',
          },
          noReboot: on('Do not restart the machines'),
          force: on('Also when no other machine can take over: a last ready instance, or its address'),
        },
        positional: {
          kind: 'tuple',
          parameters: [{ ...known('machines', word('MACHINE', 'The name of a machine')), optional: true }],
        },
      },
      load: async () => (await import('../commands/maintenance.ts')).patchMachine,
    }),
  },
})

export const maintenance = buildRouteMap({
  docs: { brief: 'Look at, stop and resume what works on machines (machine reboot, machine patch)' },
  defaultCommand: 'show',
  routes: {
    show: command({
      brief: 'Show the maintenance that runs, or was the last',
      example: 'tandem maintenance show',
      parameters: {},
      load: async () => (await import('../commands/maintenance.ts')).showMaintenance,
    }),
    resume: command({
      brief: 'Go on with one that stopped, at the machine where it did',
      example: 'tandem maintenance resume',
      parameters: {
        flags: { force: on('Also when no other machine can take over: a last ready instance, or its address') },
      },
      load: async () => (await import('../commands/maintenance.ts')).resumeMaintenance,
    }),
    stop: command({
      brief: 'Let it go no further; the machine it is at stays as it is',
      example: 'tandem maintenance stop',
      parameters: {},
      load: async () => (await import('../commands/maintenance.ts')).stopMaintenance,
    }),
  },
})

export const upgrade = command({
  brief: 'Upgrade Tandem itself: each machine, then the controller, one at a time, and back when one fails',
  about:
    'Services are not touched: no process of theirs ends, no request is lost. PATH is an archive or a folder it was unpacked to; ' +
    'left out, it is the program that runs this command.',
  example: 'tandem upgrade tandem-0.2.0-linux-x64.tar.gz\ntandem upgrade --show',
  parameters: {
    flags: { show: on('Only show the upgrade that runs, or the last one') },
    positional: {
      kind: 'tuple',
      parameters: [{ ...word('PATH', 'The new version: an archive, or its folder'), optional: true }],
    },
  },
  load: async () => (await import('../commands/upgrade.ts')).upgrade,
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
