import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import { known, number, on, text, word } from '../routes/parameters.ts'

const service = known('services', word('SERVICE', 'Name of a service'))
const reason = text('TEXT', 'Why, for the event log')
const roll = on('Restart the service, so that it runs with them')
const cas = number('Refuse unless this version is the newest (0: unless there is none)')
const several = (placeholder: string, brief: string) =>
  ({ kind: 'array', minimum: 2, parameter: known('services', word(`SERVICE ${placeholder}`, brief)) }) as const

const set = command({
  dryRun: true,
  brief: 'Set settings of a service',
  about:
    'The definition of the service names its settings and what fits (`config`). Makes a new version; running instances keep theirs until\n' +
    'their service restarts (--roll). If the service does not become ready with it, the restart is reverted, and the former version stays.',
  example:
    'tandem config set shop WORKERS=8 --roll\ntandem config set shop GREETING="Good morning" --reason "asked for by Ida"',
  parameters: { flags: { reason, cas, roll }, positional: several('NAME=VALUE', 'Name of the service; then settings') },
  load: async () => (await import('./change.ts')).setConfig,
})

const unset = command({
  dryRun: true,
  brief: 'Give settings of a service their default again',
  example: 'tandem config unset shop WORKERS --roll',
  parameters: {
    flags: { reason, cas, roll },
    positional: several('NAME', 'Name of the service; then names of settings'),
  },
  load: async () => (await import('./change.ts')).unsetConfig,
})

const rollback = command({
  dryRun: true,
  brief: 'Give a service the settings of an earlier version again, as the newest version',
  example: 'tandem config rollback shop --roll\ntandem config rollback shop --version 3',
  parameters: {
    flags: { version: number('The version (default: the one before the newest)'), reason, roll },
    positional: { kind: 'tuple', parameters: [service] },
  },
  load: async () => (await import('./change.ts')).rollbackConfig,
})

const show = command({
  brief: 'Show the settings of a service, and what fits',
  example: 'tandem config show shop',
  parameters: { positional: { kind: 'tuple', parameters: [service] } },
  load: async () => (await import('./show.ts')).showConfig,
})

const history = command({
  brief: 'List the versions of the settings: who changed what, when and why',
  example: 'tandem config history shop',
  parameters: { positional: { kind: 'tuple', parameters: [service] } },
  load: async () => (await import('./show.ts')).showHistory,
})

export const config = buildRouteMap({
  docs: { brief: 'Change settings of services without a release' },
  routes: { set, unset, show, history, rollback },
})
