import type { Definition } from '../definition.ts'

export const settingTypes = ['text', 'integer', 'number', 'boolean'] as const
export const mostSettings = 200
/** Longest value, in characters. */
export const longestSetting = 16 * 1024

export type Settings = NonNullable<Definition['config']>
export type Setting = Settings[string]

/** Why the value does not fit, following the name; `null`: it fits. */
export function problemWith({ type = 'text' }: Setting, value: string): string | null {
  const shown = value.length > 60 ? `${value.slice(0, 60)}…` : value
  switch (type) {
    case 'text':
      return value.includes('\0') ? 'holds a NUL character' : null
    case 'integer':
      return /^-?\d{1,15}$/.test(value) ? null : `is an integer, not "${shown}"`
    case 'number':
      return /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? null : `is a number, not "${shown}"`
    case 'boolean':
      return value === 'true' || value === 'false' ? null : `is true or false, not "${shown}"`
  }
}

/** The values with which a release runs: those that were set, else the defaults. Values that it does not know are left out. */
export function settled(settings: Settings, set: Readonly<Record<string, string>>): Record<string, string> {
  const values = Object.entries(settings).flatMap(([name, setting]) => {
    const value = Object.hasOwn(set, name) ? set[name] : setting.default
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(values)
}
