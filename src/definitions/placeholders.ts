/** `$$`, `${NAME}`, a `${` that starts no name, or `$NAME`. */
const sign = /\$\$|\$\{([^}]*)\}|\$\{|\$([A-Za-z_][A-Za-z0-9_]*)/g
const nameForm = /^[A-Za-z_][A-Za-z0-9_]*$/

export interface Placeholder {
  /** The placeholder as written: `${NAME}`. */
  written: string
  /** The text between the braces; `null` when they are never closed. */
  name: string | null
}

/** Every `${…}` of a text in order; `$$` hides the dollar that it stands for. */
export function placeholdersIn(text: string): Placeholder[] {
  const found: Placeholder[] = []
  for (const match of text.matchAll(sign)) {
    if (match[0] === '$$' || match[2] !== undefined) continue
    found.push({ written: match[0], name: match[1] ?? null })
  }
  return found
}

/** Names in shell notation (`$PORT`), which Tandem leaves unchanged. */
export function shellNamesIn(text: string): string[] {
  return [...text.matchAll(sign)].flatMap((match) => match[2] ?? [])
}

export const isPlaceholderName = (name: string): boolean => nameForm.test(name)

/** Replaces each `${NAME}` with `value(NAME)` and `$$` with `$`; every other dollar stays. */
export function replacePlaceholders(text: string, value: (name: string) => string): string {
  return text.replaceAll(sign, (written: string, name: string | undefined) => {
    if (written === '$$') return '$'
    return name === undefined ? written : value(name)
  })
}
