import type { ChangeProps } from './change.tsx'
import type { StateName } from './states.ts'

/** Something that the palette finds: it leads to an address, or is a change that is shown first; each equals a command. */
export interface PaletteItem {
  group: 'Go to' | 'Do' | 'Changed lately'
  name: string
  state?: StateName
  /** The command that shows or does the same. */
  command: string
  path?: string
  change?: ChangeProps
  /** Why it cannot be done now: it stays listed, with this sentence. */
  refusal?: string | null
}

/** The item of a change; its state is the one that it leads to. */
export const doing = (change: ChangeProps, state: StateName): PaletteItem => ({
  ...{ group: 'Do', name: change.title, state, command: change.command, change },
  refusal: change.refusal ?? null,
})

const groups: PaletteItem['group'][] = ['Go to', 'Do', 'Changed lately']

/** Number of items that are shown of each group. */
const mostOfGroup = 8

/** Items whose name or command has every word of the text, by group, those first whose name begins with the text. */
export function found(items: readonly PaletteItem[], text: string): PaletteItem[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const matches = items.filter(({ name, command }) => {
    const all = `${name} ${command}`.toLowerCase()
    return words.every((word) => all.includes(word))
  })
  const begins = ({ name }: PaletteItem): boolean => name.toLowerCase().startsWith(words.join(' '))
  // Refused ones stay listed, behind those that can be done.
  const rank = (item: PaletteItem): number => (begins(item) ? 0 : 2) + ((item.refusal ?? null) === null ? 0 : 1)
  return groups.flatMap((group) =>
    matches
      .filter((item) => item.group === group)
      .toSorted((a, b) => rank(a) - rank(b))
      .slice(0, mostOfGroup),
  )
}

/** The text in parts; those that match a word of `query` are marked. */
export function marked(text: string, query: string): { text: string; isMatch: boolean }[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const parts: { text: string; isMatch: boolean }[] = []
  let at = 0
  while (at < text.length) {
    const rest = text.slice(at).toLowerCase()
    const word = words.find((one) => rest.startsWith(one))
    const part = text.slice(at, at + (word?.length ?? 1))
    const last = parts.at(-1)
    if (last?.isMatch === (word !== undefined)) last.text += part
    else parts.push({ text: part, isMatch: word !== undefined })
    at += part.length
  }
  return parts
}
