/** Numbers as tables show them: short, aligned by their digits. */

/** `0`, `7.2`, `312`, `1,204`. */
export function rate(value: number): string {
  if (value === 0) return '0'
  if (value < 0.1) return '<0.1'
  return value < 10 ? trimmed(value.toFixed(1)) : grouped(Math.round(value))
}

/** `1,204`. `toLocaleString` would take half of the time in which an overview of 500 instances is first shown. */
export const grouped = (whole: number): string => String(whole).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')

const trimmed = (text: string): string => text.replace(/\.0$/, '')

/** A share as a percentage: `0`, `0.02`, `3.4`, `100`. */
export function percent(share: number): string {
  const value = share * 100
  if (value === 0) return '0'
  if (value < 0.01) return '<0.01'
  return value < 1 ? value.toFixed(2) : trimmed(value.toFixed(1))
}

/** Whole percents: `58 %`. */
export const wholePercent = (share: number): string => `${Math.round(share * 100)} %`

/** `1 machine`, `2 machines`. */
export const count = (many: number, noun: string): string => `${grouped(many)} ${noun}${many === 1 ? '' : 's'}`

/** Number of digits of a release that pages show. */
const releaseDigits = 7

export const shortRelease = (release: string): string => release.slice(0, releaseDigits)

/** `812 B`, `88 kB`, `18.2 MB`. */
export function bytes(many: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, many)) / 3)))
  const value = many / 1_000 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : trimmed(value.toFixed(1))} ${units[power]}`
}
