/** What a terminal would obey rather than show: control characters but tab and line feed, and those that turn text around. */
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
/** A program's line break of two characters is one to people. */
const breaks = /\r+(?=\n|$)/g

/**
 * A text with its control characters in sight (`^[` for escape, as `less` and `cat -v` show it), so that nothing a service
 * prints moves the cursor, names the window or writes into the clipboard of whoever reads it.
 */
export function visible(text: string): string {
  return text.replaceAll(breaks, '').replaceAll(controls, (control) => {
    const code = control.charCodeAt(0)
    return code < 0x20 || code === 0x7f ? `^${String.fromCharCode(code ^ 0x40)}` : escaped(control)
  })
}

/** The same for JSON, whose own escapes leave some of them as they are; it means what it meant. */
export const visibleJson = (json: string): string => json.replaceAll(controls, escaped)

const escaped = (control: string): string => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`
