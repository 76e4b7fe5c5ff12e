const mask = '********'

/** Stands in for a secret where nobody may see it. */
export const maskedSecret = mask

/** A part of a value of this length is masked too: programs shorten values in their messages. */
const partLength = 8
/** A line of a value that is at least this long is masked where it stands alone. */
const leastLine = 4

/**
 * The text without the values, and without parts of them: as they are, without regard to upper and lower case, and as JSON,
 * HTML, base64, hex and percent-encoded text.
 */
export function masked(text: string, values: Iterable<Uint8Array>): string {
  const low = lower(text)
  const isHidden = new Uint8Array(text.length)
  const hide = (at: number, length: number): void => void isHidden.fill(1, at, at + length)
  const parts = partsOf(low)
  for (const form of new Set([...values].flatMap(formsOf).map(lower))) {
    if (form.length < partLength) {
      for (let at = low.indexOf(form); at !== -1; at = low.indexOf(form, at + 1)) hide(at, form.length)
      continue
    }
    for (let at = 0; at + partLength <= form.length; at++) {
      const part = form.slice(at, at + partLength)
      for (const found of parts.get(part) ?? []) hide(found, partLength)
      parts.delete(part)
    }
  }
  return replaced(text, isHidden)
}

/** Of ASCII only: the length must stay. */
const lower = (text: string): string => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** Where each part of the text stands. */
function partsOf(text: string): Map<string, number[]> {
  const parts = new Map<string, number[]>()
  for (let at = 0; at + partLength <= text.length; at++) {
    const part = text.slice(at, at + partLength)
    const known = parts.get(part)
    if (known) known.push(at)
    else parts.set(part, [at])
  }
  return parts
}

function formsOf(value: Uint8Array): string[] {
  const bytes = Buffer.from(value)
  const text = bytes.toString('utf8')
  const forms = [
    text,
    text.trim(),
    ...text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.length >= leastLine),
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text.toWellFormed()),
    text.replaceAll(/[&<>"']/g, (sign) => htmlSigns[sign] ?? sign),
    bytes.toString('base64').replaceAll('=', ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ]
  return [...forms.filter((form) => form !== ''), ...amidBase64(bytes)]
}

/**
 * The letters of base64 that depend on the value alone, where one or two bytes stand before it in a group of three, such
 * as those of a user's name in `Authorization: Basic`.
 */
function amidBase64(bytes: Buffer): string[] {
  const letters = (byteCount: number, round: (count: number) => number): number => round((byteCount * 8) / 6)
  return [1, 2]
    .flatMap((before) => {
      const all = Buffer.concat([Buffer.alloc(before), bytes])
      const end = letters(all.length, Math.floor)
      return (['base64', 'base64url'] as const).map((encoding) =>
        all.toString(encoding).slice(letters(before, Math.ceil), end),
      )
    })
    .filter((form) => form.length >= partLength)
}

const htmlSigns: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
}

function replaced(text: string, isHidden: Uint8Array): string {
  let shown = ''
  for (let at = 0; at < text.length; at++) {
    if (isHidden[at] === 0) shown += text[at]
    else if (at === 0 || isHidden[at - 1] === 0) shown += mask
  }
  return shown
}
