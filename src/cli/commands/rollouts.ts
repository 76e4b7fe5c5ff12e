import { followRollout } from '../follow/followRollout.ts'
import { lastLines } from '../follow/lastLines.ts'
import { renderRollout, renderRollouts } from '../render/rollouts.ts'
import { rolloutResult } from '../render/rolloutResult.ts'
import { withPrepare } from '../render/withPrepare.ts'
import type { CommonFlags, Session } from '../session.ts'

/** Number of lines shown of the output of `prepare`. */
const shownLines = 20

export async function rollouts(
  session: Session,
  { limit }: CommonFlags & { limit: number },
  service?: string,
): Promise<number> {
  const client = await session.client()
  const query = { ...(service === undefined ? {} : { service }), limit }
  const answer = await client.call('rollouts', { query }, session.signal)
  const all = answer.rollouts.map(withPrepare)
  session.out.result({ ...answer, rollouts: all }, () => renderRollouts(all, Date.now(), session.out.paint))
  return 0
}

export async function showRollout(
  session: Session,
  { noFollow }: CommonFlags & { noFollow: boolean },
  id: string,
): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const rollout = withPrepare(await client.call('rollout', { params: { id } }, signal))
  if (rollout.finishedAt === null && !noFollow) return followRollout(session, client, rollout)
  const { prepare, service } = rollout
  const lines = prepare ? await lastLines(client, service, prepare.instance, shownLines, signal) : []
  const result = rolloutResult(rollout)
  const shown = { ...result, rollout: { ...result.rollout, prepare: prepare && { ...prepare, lastLines: lines } } }
  out.result(shown, () => renderRollout(rollout, lines, Date.now(), out.paint))
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
