import type { RolloutView } from '../../api/views.ts'
import type { ApiClient } from '../../api/client.ts'
import { inOneLine } from '../../api/standingProblem.ts'
import { unsaidProblems } from '../../problems/unsaid.ts'
import { urlsOf } from '../render/serviceUrls.ts'
import { renderOutcome } from '../render/outcome.ts'
import { rolloutResult, type RolloutResult } from '../render/rolloutResult.ts'
import { standingProblems } from '../render/standingProblems.ts'
import type { Session } from '../session.ts'
import { contactLostNote } from './contact.ts'
import { failedBeside } from './failedBeside.ts'
import { lastLinesOfFailure } from './lastLines.ts'
import { PrepareOutput } from './prepareOutput.ts'
import { showProgress } from './progress.ts'
import { watchRollout } from './watchRollout.ts'

/** Number of lines shown of the output of a failed instance. */
const shownLines = 20

/** Explains a failure from its reason and the last lines of the failed instance. Returns sentences for people. */
export type Explain = (lines: readonly string[]) => string[]

export interface Following {
  explain?: Explain
  /** Takes the rollout, in the form of `--json`, at each change, and the result last; left out: they are printed. */
  show?: (result: RolloutResult) => void
}

/** Follows a rollout live to its end and prints the outcome. Resolves with the exit code. */
export async function followRollout(
  session: Session,
  client: ApiClient,
  first: RolloutView,
  following: Following = {},
): Promise<number> {
  const { out, signal } = session
  const { show = (result: RolloutResult) => out.object(result), explain = () => [] } = following
  const progress = await showProgress(out, first)
  const prepareOutput = new PrepareOutput(client, first, signal, async (machine, text) => {
    progress.output(machine, text)
    await out.room('err')
  })
  let last = first
  try {
    const contact = {
      signal,
      onLost: () => progress.note(`${contactLostNote}. The rollout continues.`),
      onBack: () => progress.note('contact with the controller is restored'),
    }
    for await (const rollout of watchRollout(client, first.id, contact)) {
      await prepareOutput.update(rollout)
      progress.update(rollout)
      last = rollout
      if (rollout.finishedAt === null) show(rolloutResult(rollout))
    }
  } catch (error) {
    if (!signal.aborted) throw error
    await progress.end()
    out.note(`\nrollout ${first.id} continues`)
    out.note(`  follow it    tandem rollout show ${first.id}`)
    out.note(`  abort it     tandem rollout abort ${first.id}`)
    return session.interrupts.exitCode()
  } finally {
    await prepareOutput.end()
    await progress.end()
  }
  return finish(session, client, last, { show, explain })
}

/**
 * Prints the addresses of the service, and warns of routes that are public only by default. If the status cannot be
 * read, prints nothing: that does not change the outcome of the rollout.
 */
async function sayWhere({ out, signal }: Session, client: ApiClient, service: string): Promise<void> {
  const status = await client.call('status', {}, signal).catch(() => null)
  const addresses = status ? urlsOf(status, service) : []
  if (addresses.length > 0) out.note(`      ${addresses.join('  ')}`)
  const rolled = status?.services.find((one) => one.service === service)
  for (const problem of rolled ? unsaidProblems(rolled) : []) out.warn(inOneLine(problem))
}

/** Prints other problems of the touched machines, which are not the reason for the failure. */
async function sayStanding({ out, signal }: Session, client: ApiClient, rollout: RolloutView): Promise<void> {
  const status = await client.call('status', {}, signal).catch(() => null)
  for (const line of standingProblems(status, rollout, out.paintNote)) out.note(line)
}

async function finish(
  session: Session,
  client: ApiClient,
  rollout: RolloutView,
  { show, explain }: Required<Following>,
): Promise<number> {
  const { out, signal } = session
  const { failedInstance, service } = rollout
  const [last, beside] = await Promise.all([
    failedInstance ? lastLinesOfFailure(client, service, failedInstance, shownLines, signal) : { lines: [], hints: [] },
    failedBeside(client, rollout, signal),
  ])
  const said = [last, ...beside.shown]
  const lines = said.flatMap((one) => one.lines)
  const hints = [...explain([rollout.reason ?? '', ...lines]), ...said.flatMap((one) => one.hints)]
  const hint = rollout.state === 'reverted' ? [...new Set(hints)] : []
  for (const line of renderOutcome(rollout, last.lines, out.paintNote, { hint, beside })) out.note(line)
  if (rollout.state === 'completed') await sayWhere(session, client, service)
  else await sayStanding(session, client, rollout)
  show({ ...rolloutResult(rollout), ...(hint.length > 0 ? { hint: hint.join('\n') } : {}) })
  return rollout.state === 'completed' ? 0 : 1
}
