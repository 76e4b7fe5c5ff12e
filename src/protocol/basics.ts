import { z } from 'zod'

export const releaseId = z.string().regex(/^[0-9a-f]{64}$/)
export const name = z.string().min(1).max(200)
export const position = z.int().nonnegative()
/** Longest text in a report. */
export const reasonChars = 2_000
export const reason = z.string().max(reasonChars)
