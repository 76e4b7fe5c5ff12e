/**
 * Characters that a terminal interprets and does not show: control characters except tab and line feed, and those that
 * change the direction of text or are not seen at all, except the joiners that some scripts need.
 */
const controls = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
/** Carriage returns before a line break: together they are one line break. */
const breaks = /\r+(?=\n|$)/g

/**
 * Makes control characters visible (`^[` for escape, as `less` and `cat -v` show it), so that the output of a service
 * cannot move the cursor, rename the window or write to the clipboard of the reader.
 */
export function visible(text: string): string {
  return text.replaceAll(breaks, '').replaceAll(controls, (control) => {
    const code = control.charCodeAt(0)
    return code < 0x20 || code === 0x7f ? `^${String.fromCharCode(code ^ 0x40)}` : escaped(control)
  })
}

/** The same for JSON, which does not escape all of these characters. The meaning of the JSON stays the same. */
export const visibleJson = (json: string): string => json.replaceAll(controls, escaped)

/** Each of its UTF-16 units, as in JSON. */
const escaped = (control: string): string =>
  control
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
