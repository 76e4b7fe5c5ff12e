/** Sequences of terminals: colours, titles, movements of the cursor. */
// oxlint-disable-next-line no-control-regex -- these are control characters
const sequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g
// oxlint-disable-next-line no-control-regex -- likewise
const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g
/** They would change the direction or the joining of the text around them. */
const invisible = /[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** Characters of a line that are shown. */
const mostShown = 2_000

/** Output of a program as one line of text, without colours; other control characters become visible. */
export function visible(text: string, most = mostShown): string {
  const cut = text.length > most ? `${text.slice(0, most)}… (${text.length.toLocaleString('en-US')} characters)` : text
  return cut
    .replaceAll(sequences, '')
    .replaceAll(controls, (found) => {
      const code = found.charCodeAt(0)
      return code < 0x20 ? String.fromCharCode(0x24_00 + code) : '\u2421'
    })
    .replaceAll(invisible, '\u00b7')
}
