import type { Overview } from '../../src/api/overview.ts'
import { count, wholePercent } from '../lib/numbers.ts'

export type Machine = Overview['machines'][number]

/** `cpu 31 %, memory 58 %, disk 71 %`, or why there are no numbers. */
export function loadWords({ load: all, machines }: Pick<Overview, 'load' | 'machines'>, machine: string): string {
  if (machines.find(({ name }) => name === machine)?.state === 'lost') return 'load not known: it is lost'
  const load = all[machine]
  if (load === undefined) return 'load not reported'
  const parts = [
    ['cpu', load.cpu],
    ['memory', load.memory],
    ['disk', load.disk],
  ] as const
  const known = parts.flatMap(([name, share]) => (share === null ? [] : [`${name} ${wholePercent(share)}`]))
  return known.length > 0 ? known.join(', ') : (load.missing ?? 'load not reported')
}

/** The heading: the states of all machines. */
export function machinesTitle({ machines, absent }: Pick<Overview, 'machines' | 'absent'>): string {
  const inState = (state: Machine['state']): number => machines.filter((one) => one.state === state).length
  const parts = (['ready', 'draining', 'drained', 'lost'] as const)
    .map((state) => ({ state, many: inState(state) }))
    .filter(({ many }) => many > 0)
    .map(({ state, many }) => (many === machines.length && many > 1 ? `all ${state}` : `${many} ${state}`))
  const missing = absent.length === 0 ? [] : [`${absent.length} not joined`]
  return `${count(machines.length, 'machine')}: ${[...parts, ...missing].join(', ')}`
}

/** The step of the maintenance with a machine now; `null`: there is none. */
export function maintenanceWords({ maintenance }: Pick<Overview, 'maintenance'>, machine: string): string | null {
  if (maintenance === null || maintenance.state === 'completed') return null
  const found = maintenance.machines.find((one) => one.machine === machine)
  if (found === undefined) return null
  const step =
    { waiting: 'waits for its turn', done: 'is done' }[found.state as string] ?? `is at the step ${found.state}`
  const stopped = maintenance.state === 'stopped' ? `; stopped: ${maintenance.reason ?? 'by a person'}` : ''
  return `${maintenance.kind === 'reboot' ? 'Restart' : 'Patch'} of machines ${maintenance.id}: it ${step}${stopped}`
}

interface Invitation {
  token: string
  pin: string
  controllers: string[]
}

/** As `tandem machine add` prints it: to be run as root on the machine. */
export const joinCommand = ({ token, pin, controllers }: Invitation): string =>
  `tandem agent join ${controllers[0] ?? ''} --token ${token} --pin ${pin}`
