import type { Gathered } from '../doctor/machineFacts.ts'

/** What could not be looked at is said, and takes nothing else along. */
export async function gathered<T>(look: () => T | null | Promise<T | null>): Promise<Gathered<T>> {
  try {
    const seen = await look()
    return seen === null ? null : { seen }
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) }
  }
}
