import { pages } from '../features.ts'
import type { Page } from '../lib/feature.ts'
import { matchPath } from '../lib/router.ts'

/** The page at a path, and the values in it. */
export function findPage(path: string): { page: Page; params: Record<string, string> } | null {
  for (const page of pages) {
    const params = matchPath(page.path, path)
    if (params) return { page, params }
  }
  return null
}
