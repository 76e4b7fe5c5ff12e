import type { Status } from '../../api/views.ts'
import { noSuchService } from '../noSuchService.ts'
import { withPrepare } from '../render/withPrepare.ts'
import { renderStatus } from '../render/status.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function status(
  session: Session,
  { watch }: CommonFlags & { watch: boolean },
  service?: string,
): Promise<number> {
  if (watch) return (await import('./watchStatus.ts')).watchStatus(session, service ?? null)
  const { out, signal } = session
  const client = await session.client()
  const all = asShown(await client.call('status', {}, signal))
  const view = service === undefined ? all : { ...all, services: all.services.filter((one) => one.service === service) }
  if (service !== undefined && view.services.length === 0) {
    throw noSuchService(
      service,
      all.services.map((one) => one.service),
    )
  }
  out.result(view, () => renderStatus(view, { now: Date.now(), paint: out.paint, whole: service === undefined }))
  return 0
}

const asShown = (status: Status): Status => ({
  ...status,
  services: status.services.map((service) => ({
    ...service,
    rollout: service.rollout && withPrepare(service.rollout),
  })),
})
