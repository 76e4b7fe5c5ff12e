import { OperatorError } from '../../lib/operatorError.ts'

const part = '[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?'

/** `shop/db`, which belongs to the service shop, or `@shared/smtp`, which belongs to none. */
export const secretPath = new RegExp(`^@?${part}(?:/${part}){1,4}$`)
export const secretPathRule =
  'a path such as shop/db or @shared/smtp: two to five names of a to z, 0 to 9, dots, dashes and underscores'
export const longestSecretPath = 200

/** Names of fields, which may become names of variables. */
export const fieldName = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?$/
export const fieldNameRule = 'a field is called with letters, digits, dashes, dots and underscores, at most 64'

/** A public key of age: Bech32 with the prefix `age` (age-encryption.org/v1). */
export const recipientPattern = /^age1[02-9ac-hj-np-z]{58}$/

/** Longest value, and longest secret, which becomes one credential (systemd takes 873,587 bytes of one). */
export const [mostValueBytes, mostSecretBytes] = [64 * 1024, 850_000]
/** All secrets of one service: systemd takes 1 MiB for a unit. */
export const mostServiceBytes = 900_000

/** The service to which a secret belongs; `null`: none. */
export const ownerOf = (path: string): string | null => (path.startsWith('@') ? null : (path.split('/', 1)[0] ?? null))

/** Throws `E_USAGE` unless it is a full path. */
export function checkedPath(path: string): string {
  if (secretPath.test(path) && path.length <= longestSecretPath) return path
  throw new OperatorError('E_USAGE', `"${path.slice(0, 60)}" is no path of a secret: ${secretPathRule}`, {
    subject: 'secrets',
    next: path.includes('/') ? 'tandem secrets list   shows those that exist' : `did you mean SERVICE/${path}?`,
  })
}

/** The error of a value or a secret that has more than this many bytes. */
export const tooLarge = (subject: string, most: number): OperatorError =>
  new OperatorError('E_SECRET_TOO_LARGE', `${subject} has more than ${most} bytes`, {
    subject,
    next: 'keep large files in the release, or encrypt them there with a key that is a secret',
  })
