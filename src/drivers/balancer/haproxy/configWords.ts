import type { Page } from '../pages.ts'

/** One word of HAProxy's configuration, whatever is in it (configuration manual, 2.2: strong quotes). */
export function word(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** A page's text as one word; line ends are written as `\n`. */
export function textOf({ text }: Page): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '\\$').replaceAll('\n', '\\n')
  return `"${escaped}"`
}
