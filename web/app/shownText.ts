import { options } from 'preact'
import { harmless } from '../lib/visible.ts'

/**
 * The one place through which the page's texts go: names of tokens, subjects of commits, notes and reasons come from
 * anybody, and may hold characters that turn the text around them.
 */
export function showTextsHarmless(): void {
  const before = options.vnode?.bind(options)
  options.vnode = (vnode) => {
    // Preact makes a node without a type for each text.
    const text = vnode as unknown as { type: unknown; props: unknown }
    if (typeof text.props === 'string') text.props = harmless(text.props)
    before?.(vnode)
  }
}
