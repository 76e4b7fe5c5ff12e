/** How the shares of a root key are judged: `ShareSet` of src/sealing/shares.ts. */
export interface RootKeyShares {
  set: string
  needed: number
  of: number
  hashes: string[]
  proof: string
}

/** Facts about secrets. The log never holds a value, nor a key. */
export interface SecretEvents {
  /** A version was stored. `fields`: the names of its fields. `of`: the earlier version that has the same content. */
  SecretStored: {
    path: string
    version: number
    fields: string[]
    bytes: number
    reason: string | null
    of: number | null
  }
  /** No instance gets it any more; its versions stay. */
  SecretDeleted: { path: string; reason: string | null }
  SecretUndeleted: { path: string }
  /** The values of these versions are gone for good. */
  SecretDestroyed: { path: string; versions: number[]; reason: string | null }
  /** A service may name the secret in its definition. */
  SecretGranted: { path: string; service: string }
  SecretRevoked: { path: string; service: string }
  /** The key that wraps the keys of all values; `id` says nothing about it. `shares`: by which people open it; absent: none. */
  RootKeyUsed: { id: string; shares?: RootKeyShares }
  /** A root key was made in shares; it is used once enough of them were entered. */
  RootKeyOffered: { id: string; shares: RootKeyShares }
  /** The public key of age to which the secrets of this machine's services are encrypted. */
  HelperKeyRegistered: { machine: string; recipient: string }
  /** A backup was sent; this many recovery keys open it. */
  BackupTaken: { recipients: number }
}

declare module './event.ts' {
  interface EventData extends SecretEvents {}
}

declare module './rolloutEvents.ts' {
  interface Pins {
    /** The version of each secret, by path. Left out: the release has no secrets. */
    secrets?: Record<string, number>
  }
}
