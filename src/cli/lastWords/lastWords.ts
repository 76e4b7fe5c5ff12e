import type { ApiClient } from '../../api/client.ts'
import type { LastWordsView } from '../../api/lastWords.ts'
import { OperatorError } from '../../lib/operatorError.ts'

/**
 * The last output of an instance as the controller keeps it; `null`: it keeps none, or is of a version that never does.
 * `instance`: an id or a prefix.
 */
export async function keptWords(
  client: ApiClient,
  { service, instance }: { service: string; instance: string },
  signal: AbortSignal,
): Promise<LastWordsView | null> {
  try {
    const words = await client.call('lastWords', { params: { instance } }, signal)
    return words.service === service ? words : null
  } catch (error) {
    if (error instanceof OperatorError && absent.includes(error.code)) return null
    throw error
  }
}

const absent: readonly string[] = ['E_NO_SUCH_INSTANCE', 'E_NOT_FOUND', 'E_AMBIGUOUS']

/** For people, above the lines. */
export function aboutWords({ instance, machine, at, cut }: LastWordsView): string {
  const time = at.replace(/\.\d+Z$/, 'Z')
  return `machine ${machine} sent these lines when ${instance} failed at ${time}${cut ? '; earlier ones are not kept' : ''}:`
}
