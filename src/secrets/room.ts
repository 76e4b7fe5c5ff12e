import { ownerOf } from '../definitions/secrets/paths.ts'
import { accepted, refuse, type Decision, type Refusal } from '../decision/refuse.ts'
import { roomOf } from '../decision/room.ts'
import type { RootKeyShares, SecretEvents } from '../events/secretEvents.ts'
import { without } from '../lib/records.ts'
import { secretLinks } from './links.ts'
import { currentVersion, nextVersion, usersOf, type Secret, type SecretsState, type SecretsWorld } from './state.ts'
import { secretWords } from './words.ts'

/** The oldest version goes when there are more. */
export const mostVersions = 100

/** The value is on disk already, under the next number. */
interface StoreSecret {
  type: 'StoreSecret'
  path: string
  fields: string[]
  bytes: number
  reason: string | null
  of: number | null
  /** The version that must be current; 0: there must be none. `null`: whichever. */
  cas: number | null
}

interface DeleteSecret {
  type: 'DeleteSecret'
  path: string
  reason: string | null
}

interface UndeleteSecret {
  type: 'UndeleteSecret'
  path: string
}

interface DestroySecret {
  type: 'DestroySecret'
  path: string
  /** `null`: all. */
  versions: number[] | null
  reason: string | null
}

interface GrantSecret {
  type: 'GrantSecret'
  path: string
  service: string
}

interface RevokeSecret {
  type: 'RevokeSecret'
  path: string
  service: string
}

interface UseRootKey {
  type: 'UseRootKey'
  id: string
  shares: RootKeyShares | null
}

interface OfferRootKey {
  type: 'OfferRootKey'
  id: string
  shares: RootKeyShares
}

/** The machine has shown a join token. */
interface RegisterHelperKey {
  type: 'RegisterHelperKey'
  machine: string
  recipient: string
}

interface RecordBackup {
  type: 'RecordBackup'
  recipients: number
}

export type SecretCommand =
  | StoreSecret
  | DeleteSecret
  | UndeleteSecret
  | DestroySecret
  | GrantSecret
  | RevokeSecret
  | UseRootKey
  | OfferRootKey
  | RegisterHelperKey
  | RecordBackup

/** Which secrets exist, in which versions, and who may use them. The values are elsewhere, encrypted. */
export const secrets = roomOf<SecretsWorld, SecretsState, SecretEvents, SecretCommand>()({
  name: 'secrets',
  words: secretWords,
  links: secretLinks,
  initial: { secrets: {}, rootKey: null, shares: null, offered: null, helperKeys: {}, backedUpAt: null },
  folds: {
    SecretStored: ({ secrets: known }, { data, position, by = null }, { at }) => {
      const { path, version, fields, bytes, reason, of } = data
      const before = known[path] ?? { path, versions: [], last: 0, isDeleted: false, grants: [] }
      const versions = [...before.versions, { version, position, fields, bytes, at, by, reason, of }]
      return { secrets: { ...known, [path]: { ...before, versions, last: version, isDeleted: false } } }
    },
    SecretDeleted: (world, { data }) => changed(world, data.path, (one) => ({ ...one, isDeleted: true })),
    SecretUndeleted: (world, { data }) => changed(world, data.path, (one) => ({ ...one, isDeleted: false })),
    SecretDestroyed: (world, { data: { path, versions } }) =>
      changed(world, path, (one) => ({
        ...one,
        versions: one.versions.filter(({ version }) => !versions.includes(version)),
      })),
    SecretGranted: (world, { data: { path, service } }) =>
      changed(world, path, (one) => ({ ...one, grants: [...one.grants, service].sort() })),
    SecretRevoked: (world, { data: { path, service } }) =>
      changed(world, path, (one) => ({ ...one, grants: one.grants.filter((name) => name !== service) })),
    RootKeyUsed: (_, { data }) => ({
      ...{ rootKey: data.id, shares: data.shares ?? null },
      offered: null,
    }),
    RootKeyOffered: (_, { data: { id, shares } }) => ({ offered: { id, shares } }),
    HelperKeyRegistered: ({ helperKeys }, { data: { machine, recipient } }) => ({
      helperKeys: { ...helperKeys, [machine]: recipient },
    }),
    MachineRemoved: ({ helperKeys }, { data: { machine } }) => ({ helperKeys: without(helperKeys, machine) }),
    BackupTaken: (_world, _event, { at }) => ({ backedUpAt: at }),
  },
  commands: {
    StoreSecret: storeSecret,
    DeleteSecret: deleteSecret,
    UndeleteSecret: undeleteSecret,
    DestroySecret: destroySecret,
    GrantSecret: grantSecret,
    RevokeSecret: revokeSecret,
    RecordBackup: (_, { recipients }) => accepted({ type: 'BackupTaken', data: { recipients } }),
    RegisterHelperKey: ({ helperKeys }, { machine, recipient }) =>
      helperKeys[machine] === recipient
        ? { type: 'nothing' }
        : accepted({ type: 'HelperKeyRegistered', data: { machine, recipient } }),
    OfferRootKey: (_, { id, shares }) => accepted({ type: 'RootKeyOffered', data: { id, shares } }),
    UseRootKey: ({ rootKey }, { id, shares }) =>
      rootKey === id
        ? { type: 'nothing' }
        : accepted({ type: 'RootKeyUsed', data: { id, ...(shares === null ? {} : { shares }) } }),
  },
  desire: () => ({}),
})

const changed = (
  { secrets: known }: SecretsState,
  path: string,
  change: (secret: Secret) => Secret,
): Pick<SecretsState, 'secrets'> => {
  const secret = known[path]
  return { secrets: secret ? { ...known, [path]: change(secret) } : without(known, path) }
}

function storeSecret(world: SecretsWorld, command: StoreSecret): Decision {
  const { secrets: known, config, cluster } = world
  if (!config.laptop && !cluster?.recovery) return noRecovery(config.cluster)
  const { path, fields, bytes, reason, of, cas } = command
  const secret = known[path]
  const current = currentVersion(secret)?.version ?? 0
  if (cas !== null && cas !== current) return changedMeanwhile(path, cas, current)
  const version = nextVersion(world, path)
  const excess = (secret?.versions ?? []).slice(0, Math.max(0, (secret?.versions.length ?? 0) + 1 - mostVersions))
  const versions = excess.map((one) => one.version).filter((one) => usersOf(world, path, one).length === 0)
  return accepted(
    { type: 'SecretStored', data: { path, version, fields, bytes, reason, of } },
    ...(versions.length === 0
      ? []
      : [{ type: 'SecretDestroyed' as const, data: { path, versions, reason: `only ${mostVersions} are kept` } }]),
  )
}

function deleteSecret(world: SecretsWorld, { path, reason }: DeleteSecret): Decision {
  const secret = found(world, path)
  if ('type' in secret) return secret
  return secret.isDeleted ? { type: 'nothing' } : accepted({ type: 'SecretDeleted', data: { path, reason } })
}

function undeleteSecret(world: SecretsWorld, { path }: UndeleteSecret): Decision {
  const secret = found(world, path)
  if ('type' in secret) return secret
  return secret.isDeleted ? accepted({ type: 'SecretUndeleted', data: { path } }) : { type: 'nothing' }
}

function destroySecret(world: SecretsWorld, { path, versions, reason }: DestroySecret): Decision {
  const secret = found(world, path)
  if ('type' in secret) return secret
  const kept = secret.versions.map(({ version }) => version)
  const unknown = (versions ?? []).find((version) => version < 1 || version > secret.last)
  if (unknown !== undefined) return noSuchVersion(path, unknown, kept)
  const gone = kept.filter((version) => versions === null || versions.includes(version))
  if (gone.length === 0) return { type: 'nothing' }
  const used = gone.find((version) => usersOf(world, path, version).length > 0)
  if (used !== undefined) return inUse(path, used, usersOf(world, path, used), secret)
  return accepted({ type: 'SecretDestroyed', data: { path, versions: gone, reason } })
}

function grantSecret(world: SecretsWorld, { path, service }: GrantSecret): Decision {
  const secret = found(world, path)
  if ('type' in secret) return secret
  if (ownerOf(path) === service || secret.grants.includes(service)) return { type: 'nothing' }
  return accepted({ type: 'SecretGranted', data: { path, service } })
}

function revokeSecret(world: SecretsWorld, { path, service }: RevokeSecret): Decision {
  const secret = found(world, path)
  if ('type' in secret) return secret
  if (ownerOf(path) === service)
    return refuse('E_USAGE', `${path} belongs to ${service}, which may always use it`, path, 'tandem secrets who PATH')
  if (!secret.grants.includes(service)) return { type: 'nothing' }
  return accepted({ type: 'SecretRevoked', data: { path, service } })
}

function found({ secrets: known }: SecretsState, path: string): Secret | Refusal {
  return (Object.hasOwn(known, path) ? known[path] : undefined) ?? noSuchSecret(path)
}

function inUse(path: string, version: number, services: readonly string[], secret: Secret): Refusal {
  const isNewest = currentVersion(secret)?.version === version
  const next = isNewest
    ? `tandem secrets put ${path} FIELD --roll   stores another value and brings it; then repeat this command`
    : `tandem restart ${services[0]}   brings the newest version; then repeat this command`
  const message = `instances of ${services.join(', ')} run with version ${version} of ${path}`
  return refuse('E_SECRET_IN_USE', message, path, next)
}

export const noSuchSecret = (path: string): Refusal =>
  refuse(
    'E_NO_SUCH_SECRET',
    `there is no secret ${path}`,
    path,
    'tandem secrets list   shows all; tandem secrets put PATH FIELD=-   stores one',
  )

export const noSuchVersion = (path: string, version: number, kept: readonly number[]): Refusal =>
  refuse(
    'E_NO_SUCH_SECRET',
    `${path} has no version ${version}`,
    path,
    kept.length === 0 ? 'all versions were destroyed' : `versions: ${kept.slice(-10).join(', ')}`,
  )

/** The key of the values lies on one disk: the first value must not be stored before somebody can open a backup. */
export const noRecovery = (cluster: string): Refusal =>
  refuse(
    'E_NO_RECOVERY',
    'nobody could open a backup of the secrets: the cluster file names no `recovery` key',
    cluster,
    'age-keygen -o recovery.txt   on a computer of yours; then write its public key under recovery: and run tandem cluster apply cluster.yaml',
  )

const changedMeanwhile = (path: string, expected: number, current: number): Refusal =>
  refuse(
    'E_SECRET_CHANGED',
    expected === 0
      ? `${path} exists already, in version ${current}`
      : `${path} is in version ${current}, not ${expected}`,
    path,
    `tandem secrets versions ${path}   shows who changed it; then give --cas ${current}`,
  )
