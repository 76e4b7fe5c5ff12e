import type { RolloutView } from '../../api/views.ts'
import type { ApiClient } from '../../api/client.ts'
import { unsaidLines } from '../render/access.ts'
import { addressesOf } from '../render/addresses.ts'
import { renderOutcome } from '../render/outcome.ts'
import { rolloutResult } from '../render/rolloutResult.ts'
import { standingProblems } from '../render/standingProblems.ts'
import type { Session } from '../session.ts'
import { contactLostNote } from './contact.ts'
import { lastLines } from './lastLines.ts'
import { PrepareOutput } from './prepareOutput.ts'
import { showProgress } from './progress.ts'
import { watchRollout } from './watchRollout.ts'

/** What people see of a rollout's end: the failed instance's last lines. */
const shownLines = 20

/** What may be known of a failure from the reason and the failed instance's last lines: sentences for people. */
export type Explain = (lines: readonly string[]) => string[]

/** Follows a rollout to its end, live; prints how it ended. Resolves with the exit code. */
export async function followRollout(
  session: Session,
  client: ApiClient,
  first: RolloutView,
  explain: Explain = () => [],
): Promise<number> {
  const { out, signal } = session
  const progress = await showProgress(out, first)
  const prepareOutput = new PrepareOutput(client, first, signal, async (machine, text) => {
    progress.output(machine, text)
    await out.room('err')
  })
  let last = first
  try {
    const contact = {
      signal,
      onLost: () => progress.note(`${contactLostNote}. The rollout goes on.`),
      onBack: () => progress.note('contact is back'),
    }
    for await (const rollout of watchRollout(client, first.id, contact)) {
      await prepareOutput.update(rollout)
      progress.update(rollout)
      last = rollout
      if (rollout.finishedAt === null) out.object(rolloutResult(rollout))
    }
  } catch (error) {
    if (!signal.aborted) throw error
    await progress.end()
    out.note(`\nrollout ${first.id} goes on without you`)
    out.note(`  follow it    tandem rollout show ${first.id}`)
    out.note(`  go back      tandem rollout abort ${first.id}`)
    return session.interrupts.exitCode()
  } finally {
    await prepareOutput.end()
    await progress.end()
  }
  return finish(session, client, last, explain)
}

/** Where it answers now, and to whom it is open unsaid. Said on the side: that it cannot be asked for changes nothing about how the rollout ended. */
async function sayWhere({ out, signal }: Session, client: ApiClient, service: string): Promise<void> {
  const status = await client.call('status', {}, signal).catch(() => null)
  const addresses = status ? addressesOf(status, service) : []
  if (addresses.length > 0) out.note(`      ${addresses.join('  ')}`)
  const rolled = status?.services.find((one) => one.service === service)
  for (const line of rolled ? unsaidLines(rolled) : []) out.warn(line)
}

/** What else is wrong there: apart from the reason, which it is not. */
async function sayStanding({ out, signal }: Session, client: ApiClient, rollout: RolloutView): Promise<void> {
  const status = await client.call('status', {}, signal).catch(() => null)
  for (const line of standingProblems(status, rollout, out.paintNote)) out.note(line)
}

async function finish(session: Session, client: ApiClient, rollout: RolloutView, explain: Explain): Promise<number> {
  const { out, signal } = session
  const { failedInstance, service } = rollout
  const lines = failedInstance ? await lastLines(client, service, failedInstance, shownLines, signal) : []
  const hint = rollout.state === 'reverted' ? explain([rollout.reason ?? '', ...lines]) : []
  for (const line of renderOutcome(rollout, lines, out.paintNote, hint)) out.note(line)
  if (rollout.state === 'completed') await sayWhere(session, client, service)
  else await sayStanding(session, client, rollout)
  out.object({ ...rolloutResult(rollout), ...(hint.length > 0 ? { hint: hint.join('\n') } : {}) })
  return rollout.state === 'completed' ? 0 : 1
}
