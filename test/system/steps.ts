import { it } from 'vitest'
import { testMs } from '../../src/lib/testing/patience.ts'

type Step = (title: string, work: () => Promise<void> | void, timeoutMs?: number) => void

/**
 * `it` for tests that share processes and build on each other: when one has failed, those behind it do not run, and say
 * which one failed, so that one fault is reported once.
 */
export function inOrder(): Step {
  let failed: string | null = null
  return (title, work, timeoutMs = testMs) => {
    // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the caller gives both title and assertions
    it(title, { timeout: timeoutMs }, async ({ skip }) => {
      if (failed !== null) skip(`not run because "${failed}" failed`)
      try {
        await work()
      } catch (error) {
        failed = title
        throw error
      }
    })
  }
}
