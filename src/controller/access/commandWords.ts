/** Longest command in an event, in characters. */
const mostChars = 500

/** A command as a person would type it, shortened, for the event log. */
export function commandWords(argv: readonly string[]): string {
  const text = argv
    .map((word) => (/^[\w./:=@,+%-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
  const oneLine = text.replaceAll(/\p{Cc}/gu, ' ')
  return oneLine.length <= mostChars ? oneLine : `${oneLine.slice(0, mostChars - 1)}…`
}
