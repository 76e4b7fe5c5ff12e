import { parseDuration, parseSince } from './duration.ts'

const mostWithinMs = 24 * 3_600_000
/** Each machine has 1000 instance ports below the ephemeral range: 20000 to 31999. */
const mostMachines = 12

/** Why a flag cannot have this value; the parser of command lines adds the flag. */
class UnusableValue extends Error {}

export function parsePort(text: string): number {
  return parseWhole(text, 0, 65_535)
}

export function parsePosition(text: string): number {
  return parseWhole(text, 0, Number.MAX_SAFE_INTEGER)
}

/** A position of the event log, or a time in ISO 8601: of a date, or of a duration before now. */
export function parseAt(text: string): string {
  if (/^\d{1,15}$/.test(text)) return text
  const time = parseSince(text, Date.now())
  if (time !== null) return time
  throw new UnusableValue('it must be a position, a duration ago such as 10m, or a date such as 2026-11-21T02:00:00Z')
}

export function parseMachineCount(text: string): number {
  return parseWhole(text, 1, mostMachines)
}

/** Parses a release id or a prefix of one, in upper or lower case. */
export function parseRelease(text: string): string {
  if (!/^[0-9a-f]{1,64}$/i.test(text))
    throw new UnusableValue(
      'a release id has up to 64 hexadecimal digits (0-9, a-f); tandem releases SERVICE lists the releases',
    )
  return text.toLowerCase()
}

/** `20000-20999`, both ends included. */
export function parsePortRange(text: string): { first: number; last: number } {
  const found = /^(\d+)-(\d+)$/.exec(text)
  if (!found) throw new UnusableValue('it must be FIRST-LAST, such as 20000-20999')
  const [first, last] = [parseWhole(found[1] ?? '', 1, 65_535), parseWhole(found[2] ?? '', 1, 65_535)]
  if (last < first) throw new UnusableValue('the last port is below the first')
  return { first, last }
}

/** Milliseconds of `30m`, `2h`. */
export function parseWithin(text: string): number {
  const ms = parseDuration(text)
  if (ms === null || ms < 1 || ms > mostWithinMs)
    throw new UnusableValue('it must be a time of at most 24h, such as 90s or 30m')
  return ms
}

/** Bytes of `512M`, `20G`, `1.5T`: powers of 1024. */
export function parseSize(text: string): number {
  const found = /^(\d+(?:\.\d+)?)([KMGT])?i?B?$/i.exec(text)
  if (!found) throw new UnusableValue('it must be a size, such as 512M or 20G')
  const power = ' KMGT'.indexOf((found[2] ?? ' ').toUpperCase())
  return Math.round(Number(found[1]) * 1024 ** power)
}

function parseWhole(text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  throw new UnusableValue(`it must be a whole number ${range}`)
}
