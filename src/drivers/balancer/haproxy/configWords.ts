import type { Page } from '../pages.ts'

/** Quotes one word of HAProxy's configuration, whatever it contains (configuration manual, 2.2: strong quotes). */
export function word(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** The text of a page as one word; line ends are written as `\n`. */
export function textOf({ text }: Page): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '\\$').replaceAll('\n', '\\n')
  return `"${escaped}"`
}

/** A page in the form that `return` and `http-error` accept. */
export function page(answer: Page, kind: 'string' | 'lf-string' = 'string'): string {
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...answer.headers }
  const named = Object.entries(headers).map(([name, value]) => `hdr ${name} ${word(value)}`)
  return `status ${answer.status} content-type "text/plain; charset=utf-8" ${kind} ${textOf(answer)} ${named.join(' ')}`
}

/** Handed-over work comes through sockets with this id. */
export const handedOver = '{ so_id 9 }'
