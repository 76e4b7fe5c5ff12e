import type { ConfigVersionView, SettingView } from '../../src/api/config.ts'

type Values = Record<string, string>

/** `WORKERS: 4 → 8`, `COLOUR: red → not set`: a line for each value that differs. */
export function differences(before: Values, after: Values): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const shown = (value: string | undefined): string => (value === undefined ? 'not set' : JSON.stringify(value))
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => `${name}: ${shown(before[name])} → ${shown(after[name])}`)
}

/** The values that are set, by name. */
export const valuesOf = (versions: readonly ConfigVersionView[]): Values => versions[0]?.values ?? {}

/** The change of each version, in the same order: the newest first. */
export const changesOf = (versions: readonly ConfigVersionView[]): string[][] =>
  versions.map((one, index) => differences(versions[index + 1]?.values ?? {}, one.values))

/** The value that a setting has: set, or by default; `null`: none. */
export const valueOf = ({ set, default: fallback }: SettingView): string | null => set ?? fallback
