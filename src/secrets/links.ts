import type { Links } from '../decision/links.ts'
import type { SecretEvents } from '../events/secretEvents.ts'

/** Each follows from a call, not from an earlier event. */
export const secretLinks: Links<SecretEvents> = {
  SecretStored: () => ({}),
  SecretDeleted: () => ({}),
  SecretUndeleted: () => ({}),
  SecretDestroyed: () => ({}),
  SecretGranted: () => ({}),
  SecretRevoked: () => ({}),
  RootKeyUsed: () => ({}),
  RootKeyOffered: () => ({}),
  HelperKeyRegistered: () => ({}),
  BackupTaken: () => ({}),
}
