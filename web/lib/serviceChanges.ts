import type { Given, Operations } from '../../src/api/contract.ts'
import type { Overview } from '../../src/api/overview.ts'
import type { Api } from './api.ts'
import type { ChangeProps } from './change.tsx'
import { count, shortRelease } from './numbers.ts'
import { go } from './router.ts'

type Service = Overview['services'][number]
export type ServiceChange = 'rollback' | 'restart' | 'stop' | 'start'

/** The instances as a sentence: `2 instances on 2 machines`. */
export function sizeOf({ instances }: Pick<Service, 'instances'>): string {
  const running = instances.filter(({ state }) => state !== 'stopped')
  return `${count(running.length, 'instance')} on ${count(new Set(running.map(({ machine }) => machine)).size, 'machine')}`
}

/** Asks for a rollout, and goes to its page. */
export const rolling = (
  api: Api,
  body: Given<Operations['startRollout']>['body'],
): Pick<ChangeProps, 'ask' | 'run'> => ({
  ask: (signal) => api.rehearse('startRollout', { body }, signal),
  run: async () => {
    const { rollout } = await api.call('startRollout', { body })
    if (rollout !== null) go(`/rollouts/${rollout.id}`)
  },
})

const labels = { rollback: 'Roll back', restart: 'Restart', stop: 'Stop', start: 'Start' }

const careful = 'one machine at a time. No request is lost.'

/** `to`: the release of a rollback; `null`: the controller finds it. */
export const rollsTo = (service: string, to: string | null): string =>
  `Rolls ${service} to ${to === null ? 'the newest other release whose rollout completed' : shortRelease(to)}, ${careful}`

const sentences: Record<ServiceChange, (service: Service, to: string | null) => string> = {
  rollback: ({ service }, to) => rollsTo(service, to),
  restart: (service) => `Replaces ${sizeOf(service)}, ${careful}`,
  stop: (service) =>
    `Stops ${sizeOf(service)}. Requests in flight are finished; new ones are refused until somebody starts it.`,
  start: ({ service, release }) =>
    `Starts ${release === null ? service : shortRelease(release)} on its machines, and routes requests to it.`,
}

/** Why nothing can be rolled now; `null`: it may be. */
export const busyWith = ({ service, rollout }: Service): string | null =>
  rollout === null || rollout.finishedAt !== null
    ? null
    : `Not now: rollout ${rollout.id} of ${service} runs. Abort it instead.`

function refusalOf(of: Service, kind: ServiceChange): string | null {
  const { service, state } = of
  if (state === 'stopped' && kind === 'stop') return `Nothing to do: ${service} is stopped.`
  if (state === 'stopped' && kind === 'restart') return `Not possible: ${service} is stopped. Start it instead.`
  if (state === 'running' && kind === 'start') return `Nothing to do: ${service} runs.`
  return null
}

/** Another one: the controller decides again. */
export const versionOf = ({ service, release, state, rollout }: Service): string =>
  `${service} ${release} ${state} ${rollout?.id} ${rollout?.state}`

/** A change of a service, as every page offers it. */
export function serviceChange(api: Api, of: Service, kind: ServiceChange, to: string | null = null): ChangeProps {
  const { service } = of
  return {
    ...{ label: labels[kind], title: `${labels[kind]} ${service}`, danger: kind === 'stop' },
    sentence: sentences[kind](of, to),
    command: `tandem ${kind} ${service}`,
    refusal: busyWith(of) ?? refusalOf(of, kind),
    version: versionOf(of),
    ...rolling(api, { service, kind }),
  }
}
