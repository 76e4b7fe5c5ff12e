import { grouped } from './numbers.ts'
/** Sequences of terminals: colours, titles, movements of the cursor. */
// oxlint-disable-next-line no-control-regex -- these are control characters
const sequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g
const controls = /\p{Cc}/gu
/** They would change the direction or the joining of the text around them, or are not seen at all. */
const invisible = /[\p{Cf}\p{Zl}\p{Zp}]/gu
const unseen = /[\p{Cf}\p{Zl}\p{Zp}\p{Cc}]/u

/** Characters of a line that are shown. */
const mostShown = 2_000

const picture = (control: string): string => {
  const code = control.charCodeAt(0)
  return code < 0x20 ? String.fromCharCode(0x24_00 + code) : '\u2421'
}

/** Output of a program as one line of text, without colours; other control characters become visible. */
export function visible(text: string, most = mostShown): string {
  const cut = text.length > most ? `${text.slice(0, most)}… (${grouped(text.length)} characters)` : text
  return cut
    .replaceAll(sequences, '')
    .replaceAll(controls, (control) => (control === '\t' ? control : picture(control)))
    .replaceAll(invisible, '\u00b7')
}

/** Any text as it may stand in the page, with its lines. */
export function harmless(text: string): string {
  if (!unseen.test(text)) return text
  return text
    .replaceAll(controls, (control) => (/[\t\n\r]/.test(control) ? control : picture(control)))
    .replaceAll(invisible, '\u00b7')
}
