import type { RolloutView } from '../../api/views.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { noSuchService } from '../noSuchService.ts'
import { pastCall } from '../pastCall.ts'
import { withPrepare } from '../render/withPrepare.ts'
import { renderStatus } from '../render/status.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function status(
  session: Session,
  { at, watch }: CommonFlags & { at?: string; watch: boolean },
  service?: string,
): Promise<number> {
  if (watch && at !== undefined) {
    throw new OperatorError('E_USAGE', '--watch shows the present, and --at the past: use one of them', {
      subject: '--at',
    })
  }
  if (watch) return (await import('./watchStatus.ts')).watchStatus(session, service ?? null)
  const { out, signal } = session
  const client = await session.client()
  const [paint, whole] = [out.paint, service === undefined]
  if (at === undefined) {
    const view = onlyOf(await client.call('status', {}, signal), service)
    out.result(view, () => renderStatus(view, { now: Date.now(), paint, whole }))
  } else {
    const { renderPastStatus } = await import('../render/pastStatus.ts')
    const view = onlyOf(await pastCall(client, 'pastStatus', { query: { at } }, signal), service)
    out.result(view, () => renderPastStatus(view, { paint, whole }))
  }
  return 0
}

/** The status of one service, or of all, with `prepare` as a phase of its rollout. */
function onlyOf<S extends { services: { service: string; rollout: RolloutView | null }[] }>(all: S, name?: string): S {
  const services = all.services.filter((one) => name === undefined || one.service === name)
  if (name !== undefined && services.length === 0) {
    throw noSuchService(
      name,
      all.services.map((one) => one.service),
    )
  }
  return { ...all, services: services.map((one) => ({ ...one, rollout: one.rollout && withPrepare(one.rollout) })) }
}
