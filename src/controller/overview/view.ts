import type { ChangeView, Overview } from '../../api/overview.ts'
import type { Status } from '../../api/views.ts'
import { problemsOf } from '../../problems/problemsOf.ts'

export function overviewOf(status: Status, changes: ChangeView[]): Overview {
  const flight: Record<string, number> = {}
  const services = status.services.map((service) => ({
    ...service,
    instances: service.instances.map(({ work, ...instance }) => {
      flight[instance.id] = work
      return instance
    }),
  }))
  return { ...status, services, work: flight, wrong: problemsOf(status), changes }
}
