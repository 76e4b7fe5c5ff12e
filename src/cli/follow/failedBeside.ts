import type { ApiClient } from '../../api/client.ts'
import type { RolloutView } from '../../api/views.ts'
import { lastLinesOfFailure } from './lastLines.ts'

/** An instance of the release that failed beside the one whose failure reversed the rollout. */
export interface FailedBeside {
  instance: string
  machine: string
  reason: string
  lines: readonly string[]
  hints: readonly string[]
}

/** Number of other instances whose lines are shown, and number of lines of each. */
const [mostShown, shownLines] = [2, 10]
/** Most events that are looked at: an instance in a crash loop fails again and again. */
const mostEvents = 200

/**
 * The other instances that failed while the rollout ran, in the order of their first failures. `more`: those without
 * their lines. An error hides only these: an older controller cannot search events.
 */
export async function failedBeside(
  client: ApiClient,
  { id, service, failedInstance }: RolloutView,
  signal: AbortSignal,
): Promise<{ shown: FailedBeside[]; more: string[] }> {
  const own = `${service}-${id}-`
  if (failedInstance?.startsWith(own) !== true) return { shown: [], more: [] }
  const query = { rollout: id, type: 'InstanceFailed', limit: mostEvents }
  const { events } = await client.call('findEvents', { query }, signal).catch(() => ({ events: [] }))
  const first = new Map<string, { instance: string; machine: string; reason: string }>()
  for (const { data } of events.toReversed()) {
    const { instance = '', machine = '', reason = '' } = data as Record<string, string | undefined> // of its type
    const isOther = instance.startsWith(own) && instance !== failedInstance
    if (isOther && !first.has(instance)) first.set(instance, { instance, machine, reason })
  }
  const all = [...first.values()]
  const shown = all.slice(0, mostShown).map(async (one) => ({
    ...one,
    ...(await lastLinesOfFailure(client, service, one.instance, shownLines, signal)),
  }))
  return { shown: await Promise.all(shown), more: all.slice(mostShown).map(({ instance }) => instance) }
}
