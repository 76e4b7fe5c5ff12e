import { signal } from '@preact/signals'
import type { Given, Operations, Result } from '../../src/api/contract.ts'
import type { Overview } from '../../src/api/overview.ts'
import { Api, Refused, type Input } from './api.ts'
import type { CallName } from './calls.ts'
import type { Cluster, Moment } from './cluster.ts'

export type PastOverview = Result<Operations['pastOverview']>

/** Why nothing can be changed in the past. */
const refusal = 'Not possible: this is the past.'

const refused = (detail: string): Refused =>
  new Refused({ detail, ...{ type: '', title: detail, status: 409, code: 'E_PAST', subject: null, next: null } })

/** Everything as it was at a moment, in the form that pages know of the present. */
export function clusterThen(present: Cluster, then: PastOverview): Cluster {
  const moment = momentOf(then)
  return {
    ...present,
    api: new PastApi(present.api, moment),
    overview: signal(overviewThen(then)),
    contact: signal({ state: 'live', asOf: moment.at, reason: null, nextTry: null }),
    now: signal(moment.at),
    refusal: signal(refusal),
    past: moment,
    openTail: () => ({
      state: signal({ state: 'refused', code: 'E_PAST', reason: 'the event log holds no output' }),
      ...{ pause: () => {}, goOn: () => {}, close: () => {} },
    }),
  }
}

export const momentOf = ({ asOf: { position, at } }: PastOverview): Moment => ({
  position,
  at: at === null ? 0 : Date.parse(at),
})

/** The overview of then; what the log does not hold is absent, never that of the present. */
export function overviewThen(then: PastOverview): Overview {
  const { cluster, controller, machines, services, absent, maintenance, addresses, notes, wrong, changes } = then
  return {
    ...{ cluster, absent, maintenance, addresses, notes, wrong, changes },
    controller: { ...controller, version: controller.version ?? '', problems: [] },
    machines: machines.map((machine) => ({ ...machine, problems: [] })),
    services: services.map((service) => ({
      ...service,
      instances: service.instances.map(({ work: _work, ...instance }) => ({ ...instance, restarts: 0 })),
    })),
    ...{ work: {}, load: {}, cells: {}, rates: {}, certificates: [], checkups: [], store: null },
  }
}

/** Answers reads as of a moment, and refuses everything else. */
export class PastApi extends Api {
  readonly #present: Api
  readonly #moment: Moment

  constructor(present: Api, moment: Moment) {
    super('', () => {}) // it makes no request of its own
    this.#present = present
    this.#moment = moment
  }

  override async call<N extends CallName>(
    name: N,
    given: Given<Operations[N]>,
    stop?: AbortSignal,
  ): Promise<Result<Operations[N]>> {
    return (await this.#then(name, given as Input, stop)) as Result<Operations[N]> // views of the past have the same form
  }

  /** Rehearsals and streams end here. */
  override raw(): Promise<Response> {
    return Promise.reject(refused(refusal))
  }

  async #then(name: string, { params, query }: Input, stop?: AbortSignal): Promise<unknown> {
    const { position } = this.#moment
    const at = String(position)
    switch (name) {
      case 'rollouts':
        return this.#present.call('pastRollouts', { query: { ...query, at } }, stop)
      case 'rollout':
        return (await this.#present.call('pastRollout', { params: { id: params?.['id'] ?? '' }, query: { at } }, stop))
          .rollout
      case 'releases':
        return this.#present.call('pastReleases', { query: { ...query, at } }, stop)
      case 'releaseDefinition': {
        // A release never changes.
        const { service = '', release = '' } = params ?? {}
        return this.#present.call('releaseDefinition', { params: { service, release } }, stop)
      }
      case 'rolloutNumbers': {
        const until = new Date(this.#moment.at).toISOString()
        return this.#present.call('rolloutNumbers', { params: { id: params?.['id'] ?? '' }, query: { until } }, stop)
      }
      case 'findEvents': {
        const before = Math.min(Number(query?.['before'] ?? position + 1), position + 1)
        return this.#present.call('findEvents', { query: { ...query, before } }, stop)
      }
      case 'lastWords': {
        const words = await this.#present.call('lastWords', { params: { instance: params?.['instance'] ?? '' } }, stop)
        if (Date.parse(words.at) > this.#moment.at) throw refused('Its last lines of then are not kept.')
        return words
      }
      default:
        throw refused(refusal)
    }
  }
}
