import { fingerprint } from '../identity/certificate.ts'
import type { Chosen } from './contexts.ts'

/** The line for the cluster that a command is for, with another token than its own where one is given. */
export function invitationTo({ context, url, token, authority, pin }: Chosen, other: string = token): string {
  const name = context ?? new URL(url).hostname.replaceAll(/[^\w.-]/g, '')
  const known = authority === undefined ? (pin ?? null) : fingerprint(authority)
  return invitation(name, { url, token: other, pin: known })
}

interface Invited {
  url: string
  token: string
  /** sha256 of the authority's certificate, hex; `null` where the controller has none of its own. */
  pin: string | null
}

/**
 * The line that makes this context on another computer. The token stands in the environment of that command, not among
 * its words, which every user of that computer can read.
 */
export function invitation(name: string, { url, token, pin }: Invited): string {
  const pinned = pin === null ? [] : ['--pin', pin]
  return [`TANDEM_TOKEN=${token}`, 'tandem', 'context', 'add', name, '--url', url, ...pinned].map(asShellWord).join(' ')
}

/** Quoted where a shell would read it as anything but itself; `[` of an IPv6 address is a pattern to zsh. */
function asShellWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  const assigned = /^(TANDEM_TOKEN=)(.*)$/s.exec(word) // quoted with its name, a shell would look for such a program
  const [, before = '', rest = word] = assigned ?? []
  return `${before}'${rest.replaceAll("'", String.raw`'\''`)}'`
}
