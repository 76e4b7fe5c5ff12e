/**
 * Characters that a terminal interprets and does not show: control characters except tab and line feed, and those that
 * change the direction of text.
 */
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
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

const escaped = (control: string): string => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`
