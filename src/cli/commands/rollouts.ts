import type { ApiClient } from '../../api/client.ts'
import { followRollout } from '../follow/followRollout.ts'
import { lastLines } from '../follow/lastLines.ts'
import { pastCall } from '../pastCall.ts'
import { asOfLine, timeOf } from '../render/asOf.ts'
import { renderRollout, renderRollouts } from '../render/rollouts.ts'
import { rolloutResult } from '../render/rolloutResult.ts'
import { withPrepare } from '../render/withPrepare.ts'
import type { CommonFlags, Session } from '../session.ts'

/** Number of lines shown of the output of `prepare`. */
const shownLines = 20

export async function rollouts(
  session: Session,
  { at, limit }: CommonFlags & { at?: string; limit: number },
  service?: string,
): Promise<number> {
  const client = await session.client()
  const query = { ...(service === undefined ? {} : { service }), limit }
  const { out, signal } = session
  if (at === undefined) {
    const answer = await client.call('rollouts', { query }, signal)
    const all = answer.rollouts.map(withPrepare)
    out.result({ ...answer, rollouts: all }, () => renderRollouts(all, Date.now(), out.paint))
    return 0
  }
  const answer = await pastCall(client, 'pastRollouts', { query: { ...query, at } }, signal)
  const all = answer.rollouts.map(withPrepare)
  const { asOf } = answer
  out.result({ ...answer, rollouts: all }, () =>
    [asOfLine(asOf, out.paint), renderRollouts(all, timeOf(asOf), out.paint)].join('\n'),
  )
  return 0
}

export async function showRollout(
  session: Session,
  { at, noFollow }: CommonFlags & { at?: string; noFollow: boolean },
  id: string,
): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  if (at !== undefined) return showPastRollout(session, client, { id, at })
  const rollout = withPrepare(await client.call('rollout', { params: { id } }, signal))
  if (rollout.finishedAt === null && !noFollow) return followRollout(session, client, rollout)
  const { prepare, service } = rollout
  const lines = prepare ? await lastLines(client, service, prepare.instance, shownLines, signal) : []
  const result = rolloutResult(rollout)
  const shown = { ...result, rollout: { ...result.rollout, prepare: prepare && { ...prepare, lastLines: lines } } }
  out.result(shown, () => renderRollout(rollout, lines, Date.now(), out.paint))
  return 0
}

/** Without the output of `prepare`, which may be of later. */
async function showPastRollout(
  { out, signal }: Session,
  client: ApiClient,
  { id, at }: { id: string; at: string },
): Promise<number> {
  const { asOf, rollout } = await pastCall(client, 'pastRollout', { params: { id }, query: { at } }, signal)
  const shown = withPrepare(rollout)
  out.result({ asOf, rollout: shown }, () =>
    [asOfLine(asOf, out.paint), renderRollout(shown, null, timeOf(asOf), out.paint)].join('\n'),
  )
  return 0
}

export async function abortRollout(session: Session, _flags: CommonFlags, id: string): Promise<number> {
  const { client } = await session.announce(`abort rollout ${id}`)
  const { rollout } = await client.call('abortRollout', { params: { id } }, session.signal)
  const view = await client.call('rollout', { params: { id: rollout } }, session.signal)
  const code = await followRollout(session, client, view)
  // The rollout was reverted as requested, which is a success here.
  return code === 1 ? 0 : code
}
