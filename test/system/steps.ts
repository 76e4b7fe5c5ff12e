import { it } from 'vitest'

type Step = (title: string, work: () => Promise<void> | void, timeoutMs?: number) => void

/**
 * `it` for tests that share processes and build on each other: when one has failed, those behind it do not run, and say
 * which one failed, so that one fault is reported once.
 */
export function inOrder(): Step {
  let failed: string | null = null
  return (title, work, timeoutMs = 60_000) => {
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
