import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { parseWithin } from '../flagValues.ts'
import { known, needed, on, word } from './parameters.ts'

export const machines = command({
  brief: 'Show the machines and their state',
  example: 'tandem machines',
  parameters: {},
  load: async () => (await import('../commands/machines.ts')).machines,
})

const oneMachine = { kind: 'tuple', parameters: [known('machines', word('MACHINE', 'Name of a machine'))] } as const
export const machine = buildRouteMap({
  docs: { brief: 'Add, drain, put back, reboot and patch machines' },
  routes: {
    add: command({
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
    reboot: command({
      dryRun: true,
      brief: 'Drain a machine, restart it, wait until it is healthy, and put it back in traffic',
      about:
        'The services of the machine start automatically. No request is lost while another machine runs the same services.',
      example: 'tandem machine reboot a',
      parameters: {
        flags: { force: on('Proceed even if no other machine can take over its last ready instance or its address') },
        positional: oneMachine,
      },
      load: async () => (await import('../commands/maintenance.ts')).rebootMachine,
    }),
    patch: command({
      dryRun: true,
      brief:
        'Run a script as root on one machine or on all: drain, run, restart, wait, put back, one machine at a time',
      about:
        'Stops at the first machine that fails or does not come back; tandem maintenance resume continues from there.\n' +
        'The interpreter is /bin/sh, or the one that the first line names. Output of the script: journalctl -t tandem-maintenance',
      example: 'tandem machine patch --all --script patch.sh\ntandem machine patch a --script patch.sh --no-reboot',
      parameters: {
        flags: {
          all: on('Patch every machine, one after the other'),
          script: needed('FILE', 'Script to run, at most 64 KiB'),
          within: {
            ...{ kind: 'parsed', parse: parseWithin, placeholder: 'TIME', default: '30m' },
            brief: 'Time limit of the script on each machine',
          },
          noReboot: on('Do not restart the machines'),
          force: on('Proceed even if no other machine can take over its last ready instance or its address'),
        },
        positional: {
          kind: 'tuple',
          parameters: [{ ...known('machines', word('MACHINE', 'Name of a machine')), optional: true }],
        },
      },
      load: async () => (await import('../commands/maintenance.ts')).patchMachine,
    }),
  },
})

export const maintenance = buildRouteMap({
  docs: { brief: 'Show, stop and resume maintenance (tandem machine reboot, tandem machine patch)' },
  defaultCommand: 'show',
  routes: {
    show: command({
      brief: 'Show the running maintenance, or the last one',
      example: 'tandem maintenance show',
      parameters: {},
      load: async () => (await import('../commands/maintenance.ts')).showMaintenance,
    }),
    resume: command({
      dryRun: true,
      brief: 'Resume a stopped maintenance at the machine where it stopped',
      example: 'tandem maintenance resume',
      parameters: {
        flags: { force: on('Proceed even if no other machine can take over its last ready instance or its address') },
      },
      load: async () => (await import('../commands/maintenance.ts')).resumeMaintenance,
    }),
    stop: command({
      dryRun: true,
      brief: 'Stop the maintenance; leave the current machine unchanged',
      example: 'tandem maintenance stop',
      parameters: {},
      load: async () => (await import('../commands/maintenance.ts')).stopMaintenance,
    }),
  },
})

export const upgrade = command({
  brief: 'Upgrade Tandem itself: each machine, then the controller, one at a time; roll back if one fails',
  about:
    'Services continue to run: no process of a service ends, and no request is lost. PATH is an archive or the folder of an unpacked one. ' +
    'Without PATH, upgrades to the program that runs this command.',
  example: 'tandem upgrade tandem-0.2.0-linux-x64.tar.gz\ntandem upgrade --show',
  parameters: {
    flags: { show: on('Only show the running upgrade, or the last one') },
    positional: {
      kind: 'tuple',
      parameters: [{ ...word('PATH', 'Archive of the new version, or its unpacked folder'), optional: true }],
    },
  },
  load: async () => (await import('../commands/upgrade.ts')).upgrade,
})

const oneFile = { kind: 'tuple', parameters: [word('FILE', 'A cluster.yaml file')] } as const
export const cluster = buildRouteMap({
  docs: { brief: 'Set the machines of the cluster and where it takes requests' },
  routes: {
    plan: command({
      brief: 'Show the changes that applying a cluster file would make',
      example: 'tandem cluster plan cluster.yaml',
      parameters: { positional: oneFile },
      load: async () => (await import('../commands/cluster.ts')).planCluster,
    }),
    apply: command({
      dryRun: true,
      brief: 'Apply a cluster file; machines that it no longer names are removed',
      example: 'tandem cluster apply cluster.yaml',
      parameters: {
        flags: { force: on('Proceed even if a removed machine has the last ready instance of a service') },
        positional: oneFile,
      },
      load: async () => (await import('../commands/cluster.ts')).applyCluster,
    }),
  },
})
