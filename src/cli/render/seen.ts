import { showAge } from '../duration.ts'

/** How long ago something was seen, in words. */
export const seen = (at: string | null, now: number): string => {
  const age = showAge(at, now)
  return age === 'now' || age === '-' ? age : `${age} ago`
}
