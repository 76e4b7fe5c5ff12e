import { address } from './router.ts'

/** The command that opens the present address elsewhere; `changes` replace values of its query, `null` removes one. */
export function openCommand(changes: Record<string, string | null> = {}): string {
  const { path, query: present } = address.value
  const query = new URLSearchParams(present)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name)
    else query.set(name, value)
  }
  const text = query.size === 0 ? path : `${path}?${query.toString()}`
  return text === '/' ? 'tandem open' : `tandem open '${text.replaceAll("'", '%27')}'`
}
