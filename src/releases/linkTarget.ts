import { posix } from 'node:path'
import { releaseLimits } from './releaseLimits.ts'

/** Returns why `target` may not be the text of any symlink; `null` if it may. */
export function targetFault(target: string): string | null {
  if (target === '') return 'its target is empty'
  if (target.startsWith('/')) return `the symlink points out of the release, to the absolute path ${target}`
  if (/\p{Cc}/u.test(target)) return 'its target contains a control character'
  if (!target.isWellFormed() || target.includes('\uFFFD')) return 'its target is not valid UTF-8'
  if (Buffer.byteLength(target) > releaseLimits.linkTargetBytes) return 'its target is too long'
  return null
}

/**
 * Finds the first symlink that points out of the tree, following other symlinks on its way: `a/s -> ..` is inside; `a/t
 * -> s/../x` looks inside but is not. Paths are relative to the tree, with slashes. A loop points nowhere, so not out
 * either.
 */
export function findEscape(links: ReadonlyMap<string, string>): { path: string; target: string } | null {
  for (const [path, target] of links) {
    if (escapes(path, target, links)) return { path, target }
  }
  return null
}

function escapes(path: string, target: string, links: ReadonlyMap<string, string>): boolean {
  const at = posix.dirname(path) === '.' ? [] : posix.dirname(path).split('/')
  const ahead = target.split('/').reverse()
  let hops = 0
  for (let step = ahead.pop(); step !== undefined; step = ahead.pop()) {
    if (step === '' || step === '.') continue
    if (step === '..') {
      if (at.pop() === undefined) return true
      continue
    }
    at.push(step)
    const next = links.get(at.join('/'))
    if (next === undefined) continue
    if (next.startsWith('/')) return true
    if (++hops > releaseLimits.linkHops) return false
    at.pop()
    ahead.push(...next.split('/').reverse())
  }
  return false
}
