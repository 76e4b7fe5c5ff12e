import { releaseLimits } from './releaseLimits.ts'

/** Returns why `name` may not be in a tree, or `null` if it may. */
export function nameFault(name: string): string | null {
  if (name === '') return 'a name is empty'
  if (name === '.' || name === '..') return `a name is "${name}"`
  if (name.includes('/')) return 'a name contains a slash'
  if (/\p{Cc}/u.test(name)) return 'a name contains a control character'
  if (!name.isWellFormed() || name.includes('\uFFFD')) return 'a name is not valid UTF-8'
  if (Buffer.byteLength(name) > releaseLimits.nameBytes) return `a name is longer than ${releaseLimits.nameBytes} bytes`
  return null
}
