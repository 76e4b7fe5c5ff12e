import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { parseWithin } from '../flagValues.ts'
import { known, needed, on, oneMachine, word } from '../routes/parameters.ts'

/** Commands of `tandem machine`. */
export const maintainMachine = {
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
    load: async () => (await import('./commands.ts')).rebootMachine,
  }),
  patch: command({
    dryRun: true,
    brief: 'Run a script as root on one machine or on all: drain, run, restart, wait, put back, one machine at a time',
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
    load: async () => (await import('./commands.ts')).patchMachine,
  }),
}

export const maintenance = buildRouteMap({
  docs: { brief: 'Show, stop and resume maintenance (tandem machine reboot, tandem machine patch)' },
  defaultCommand: 'show',
  routes: {
    show: command({
      brief: 'Show the running maintenance, or the last one',
      example: 'tandem maintenance show',
      parameters: {},
      load: async () => (await import('./commands.ts')).showMaintenance,
    }),
    resume: command({
      dryRun: true,
      brief: 'Resume a stopped maintenance at the machine where it stopped',
      example: 'tandem maintenance resume',
      parameters: {
        flags: { force: on('Proceed even if no other machine can take over its last ready instance or its address') },
      },
      load: async () => (await import('./commands.ts')).resumeMaintenance,
    }),
    stop: command({
      dryRun: true,
      brief: 'Stop the maintenance; leave the current machine unchanged',
      example: 'tandem maintenance stop',
      parameters: {},
      load: async () => (await import('./commands.ts')).stopMaintenance,
    }),
  },
})
