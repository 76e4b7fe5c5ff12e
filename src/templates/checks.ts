import { masked } from './masked.ts'

/** Limits of the check of one file: its time, the last bytes of its output that are read, and the last characters that are shown. */
export const checkLimits = { withinMs: 60_000, tailBytes: 16_384, shownChars: 1_000 } as const

/** Why a check did not accept its file, with the end of its output and secrets masked. */
export function checkProblem(path: string, why: string, output: string, values: Iterable<Uint8Array>): string {
  const shown = masked(output, values).trim().slice(-checkLimits.shownChars)
  return `the check of ${path} failed: ${why}${shown === '' ? '' : `: ${shown}`}`
}
