import { nearest } from '../definitions/suggest.ts'

/** The next step after a name that does not exist: the name that was probably meant, else those that exist, else `first`. */
export function meantBy(name: string, known: string[], { all, first }: { all: string; first: string }): string {
  const meant = nearest(name, known)
  if (meant) return `did you mean ${meant}?`
  return known.length > 0 ? `${all}: ${known.join(', ')}` : first
}
