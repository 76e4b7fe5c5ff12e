import type { RootKeyShares } from '../events/secretEvents.ts'
import type { FleetWorld } from '../fleet/state.ts'

export interface SecretVersion {
  version: number
  /**
   * Position of the event that stored it. After a log was restored, numbers of versions are given out again; positions
   * never are.
   */
  position: number
  /** Names of its fields, in order. */
  fields: string[]
  /** Of all values. */
  bytes: number
  /** Milliseconds since 1970. */
  at: number
  /** Name of the token that stored it; `null`: not recorded. */
  by: string | null
  reason: string | null
  /** The earlier version that has the same content. */
  of: number | null
}

/*
 * A SECRET has versions, which never change. The newest is current.
 *
 *   (none) --SecretStored--> kept <--SecretDeleted / SecretUndeleted--> deleted
 *
 * A deleted secret keeps its versions. `SecretDestroyed` removes versions for good; a secret without any is gone, but its
 * numbers are never used again.
 */
export interface Secret {
  path: string
  /** Those that are not destroyed, the oldest first. */
  versions: SecretVersion[]
  /** The highest number that was ever used. */
  last: number
  isDeleted: boolean
  /** Services that may name it, besides its own. */
  grants: string[]
}

export interface SecretsState {
  /** By path. */
  secrets: Record<string, Secret>
  /** Id of the root key; `null`: there is none yet. */
  rootKey: string | null
  /** The shares in which it exists; `null`: it is sealed with the key of the machine. */
  shares: RootKeyShares | null
  /** A key in shares of which not enough were entered yet. */
  offered: { id: string; shares: RootKeyShares } | null
  /** By machine, the public key of age of its privileged helper. */
  helperKeys: Record<string, string>
  /** When the newest backup was taken, in milliseconds since 1970; `null`: never. */
  backedUpAt: number | null
}

type Generations = Readonly<Record<string, { service: string; pins?: { secrets?: Record<string, number> } }>>

/** The state that this room reads; `generations` are those of services that run, or are being rolled. */
export type SecretsWorld = FleetWorld & SecretsState & { generations: Generations }

/**
 * The services that had a rollout with this version which was reverted, sorted. They pass it over until the secret is
 * stored again, also with the same values: something else may have failed.
 */
export const rejectedBy = (
  {
    services,
  }: { services: Readonly<Record<string, { name: string; rejected?: { secrets?: Record<string, number> } }>> },
  path: string,
  version: number,
): string[] =>
  Object.values(services)
    .flatMap(({ name, rejected }) => (rejected?.secrets?.[path] === version ? [name] : []))
    .sort()

/**
 * The number of the next version. After a log was restored, instances may run with a later one than it knows: that
 * number means their value.
 */
export function nextVersion(
  { secrets, generations }: Pick<SecretsWorld, 'secrets' | 'generations'>,
  path: string,
): number {
  const running = Object.values(generations).map(({ pins }) => pins?.secrets?.[path] ?? 0)
  return Math.max(secrets[path]?.last ?? 0, ...running) + 1
}

/** The services that run with a version, sorted. */
export function usersOf({ generations }: Pick<SecretsWorld, 'generations'>, path: string, version: number): string[] {
  const users = Object.values(generations).filter(({ pins }) => pins?.secrets?.[path] === version)
  return [...new Set(users.map(({ service }) => service))].sort()
}

/** The newest version; `null`: the secret is deleted, or has none. */
export const currentVersion = (secret: Secret | undefined): SecretVersion | null =>
  secret && !secret.isDeleted ? (secret.versions.at(-1) ?? null) : null
