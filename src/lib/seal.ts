import { createHash } from 'node:crypto'

const mark = '# sha256 of what is above: '

/** A text of `#` comments with a last line that shows whether the text was changed since: see `sealOf`. */
export function sealed(text: string): string {
  const whole = text.endsWith('\n') ? text : `${text}\n`
  return `${whole}${mark}${hash(whole)}\n`
}

/** `none`: the text has no seal. */
export function sealOf(text: string): 'whole' | 'changed' | 'none' {
  const at = text.lastIndexOf(mark)
  if (at < 0) return 'none'
  return text.slice(at) === `${mark}${hash(text.slice(0, at))}\n` ? 'whole' : 'changed'
}

/** Returns the text without its seal, for a caller that changes the text. */
export function unsealed(text: string): string {
  const at = text.lastIndexOf(mark)
  return at < 0 ? text : text.slice(0, at)
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
