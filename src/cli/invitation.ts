import { fingerprint } from '../identity/certificate.ts'
import type { Chosen } from './contexts.ts'

/** The invitation to the cluster that this command uses. `other` replaces the context's own token. */
export function invitationTo({ context, url, token, authority, pin }: Chosen, other: string = token): string {
  const name = context ?? new URL(url).hostname.replaceAll(/[^\w.-]/g, '')
  const known = authority === undefined ? (pin ?? null) : fingerprint(authority)
  return invitation(name, { url, token: other, pin: known })
}

interface Invited {
  url: string
  token: string
  /** sha256 of the authority's certificate, hex; `null` if the cluster has no authority. */
  pin: string | null
}

/**
 * The command that creates this context on another computer. The command passes the token in its environment, because
 * every user of that computer can read its arguments.
 */
export function invitation(name: string, { url, token, pin }: Invited): string {
  const pinned = pin === null ? [] : ['--pin', pin]
  return [`TANDEM_TOKEN=${token}`, 'tandem', 'context', 'add', name, '--url', url, ...pinned].map(asShellWord).join(' ')
}

/** Quotes a word that a shell would expand or split; zsh reads the `[` of an IPv6 address as a pattern. */
function asShellWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  const assigned = /^(TANDEM_TOKEN=)(.*)$/s.exec(word) // with its name in the quotes, a shell would run it
  const [, before = '', rest = word] = assigned ?? []
  return `${before}'${rest.replaceAll("'", String.raw`'\''`)}'`
}
