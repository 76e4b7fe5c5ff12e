import { asStatus, type pastOperations } from '../../api/past.ts'
import { problemsOf } from '../../problems/problemsOf.ts'
import { findRollout } from '../findRollout.ts'
import { changesBefore } from '../overview/recentChanges.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import type { PastState } from './past.ts'
import { pastStatusView } from './pastStatusView.ts'

export const pastHandlers = ({ past, controller }: Rooms): Handlers<keyof typeof pastOperations> => ({
  pastStatus: async ({ query }, _, isGone) => pastStatusView(controller.config, await past.state(query.at, isGone)),
  pastOverview: async ({ query }, _, isGone) => {
    const status = pastStatusView(controller.config, await past.state(query.at, isGone))
    const wrong = problemsOf(asStatus(status)).map((problem) => ({ ...problem, next: [] }))
    return { ...status, wrong, changes: await changesBefore(controller.log, status.asOf.position) }
  },
  pastRollouts: async ({ query }, _, isGone) => {
    const then = await past.state(query.at, isGone)
    return { asOf: asOf(then), rollouts: then.fold.history.all(query.service ?? null).slice(-query.limit) }
  },
  pastRollout: async ({ params, query }, _, isGone) => {
    const then = await past.state(query.at, isGone)
    return { asOf: asOf(then), rollout: findRollout(then.fold.history, params.id) }
  },
  pastReleases: async ({ query }, _, isGone) => {
    const then = await past.state(query.at, isGone)
    return { asOf: asOf(then), releases: then.fold.releases.all(query.service ?? null) }
  },
})

const asOf = ({ position, at }: PastState): { position: number; at: string | null } => ({ position, at })
