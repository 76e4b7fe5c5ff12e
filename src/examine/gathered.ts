import type { Gathered } from '../doctor/machineFacts.ts'

/** Records a fact, or the reason why it cannot be gathered; a failure does not affect other facts. */
export async function gathered<T>(look: () => T | null | Promise<T | null>): Promise<Gathered<T>> {
  try {
    const seen = await look()
    return seen === null ? null : { seen }
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) }
  }
}
