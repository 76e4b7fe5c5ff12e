import { z } from 'zod'
import {
  fieldName,
  fieldNameRule,
  longestSecretPath,
  recipientPattern,
  secretPath,
  secretPathRule,
} from '../definitions/secrets/paths.ts'
import { secretOrderSchema } from '../protocol/secrets.ts'
import { position, service, time, type Operation } from './operation.ts'

const path = z.string().max(longestSecretPath).regex(secretPath, secretPathRule)
const params = z.object({ path })
const recipient = z.string().regex(recipientPattern, 'a public key of age')
const version = z.int().min(1)
const field = z.string().regex(fieldName, fieldNameRule)
const fields = z.record(field, z.base64().describe('the bytes of the value')).describe('by name')
const reason = z.string().trim().min(1).max(500).nullable().default(null).describe('why, for the event log')
const stored = z.object({
  position,
  path,
  version,
  changed: z.boolean().describe('false: the newest version has these values already'),
})

const versionSchema = z.object({
  version,
  fields: z.array(z.string()),
  bytes: z.int().describe('of all values'),
  at: time,
  by: z.string().nullable().describe('name of the token that stored it; null: not recorded'),
  reason: z.string().nullable(),
  of: version.nullable().describe('the earlier version that has the same content'),
})

const secretSchema = z.object({
  path,
  owner: z.string().nullable().describe('the service to which it belongs; null: none'),
  grants: z.array(z.string()).describe('other services that may use it'),
  deleted: z.boolean(),
  current: versionSchema.nullable().describe('null: it is deleted, or all its versions are destroyed'),
  versions: z.int().describe('the number of versions that are kept'),
  rejectedBy: z
    .array(z.string())
    .default([])
    .describe('services that pass the current version over, because a rollout with it was reverted'),
})
const useSchema = z.object({ service: z.string(), instance: z.string(), machine: z.string(), version })
export type SecretUse = z.infer<typeof useSchema>
export type SecretView = z.infer<typeof secretSchema>

export const secretOperations = {
  secretOrder: {
    ...{
      method: 'POST',
      path: '/agent/secrets/:service',
      role: 'agent',
      summary: "the secrets of a service, encrypted to a machine's privileged helper",
    },
    params: z.object({ service }),
    body: z.object({
      held: z.array(z.string().max(500)).max(10_000).describe('values that the machine keeps already'),
      recipient: recipient.nullable().default(null).describe('public key of age; only a laptop names it here'),
    }),
    response: secretOrderSchema,
  },
  registerHelperKey: {
    ...{
      method: 'POST',
      path: '/join/key',
      role: 'joiner',
      summary: "register the key of a machine's privileged helper",
    },
    body: z.object({
      recipient: recipient.describe('public key of age'),
      hasJoined: z.boolean().default(false).describe('the machine joined before: this uses the token up'),
    }),
    response: z.object({
      machine: z.string(),
      signs: z.boolean().default(false).describe('every program that this controller sends comes with a signed order'),
    }),
  },
  secrets: {
    ...{ method: 'GET', path: '/secrets', role: 'reader', summary: 'secrets, without their values' },
    query: z.object({ prefix: z.string().max(longestSecretPath).default('') }),
    response: z.object({ secrets: z.array(secretSchema) }),
  },
  secretVersions: {
    ...{
      method: 'GET',
      path: '/secrets/:path/versions',
      role: 'reader',
      summary: 'versions of a secret, without values',
    },
    params,
    response: z.object({
      secret: secretSchema,
      versions: z.array(versionSchema).describe('the newest first'),
      uses: z.array(useSchema).default([]).describe('the instances that run with it'),
    }),
  },
  secretValue: {
    ...{ method: 'GET', path: '/secrets/:path/value', role: 'operator', summary: 'the value of a secret' },
    params,
    query: z.object({ version: z.coerce.number().pipe(version).optional(), field: field.optional() }),
    response: z.object({ path, version, fields }),
  },
  secretsStatus: {
    ...{
      method: 'GET',
      path: '/secrets-status',
      role: 'reader',
      summary: 'whether secrets can be read, and are in a backup',
    },
    response: z.object({
      secrets: z.int(),
      versions: z.int(),
      rootKey: z.string().nullable().describe('its id; null: no secret was stored yet'),
      shares: z.object({ needed: z.int(), of: z.int() }).nullable().describe('null: it is kept on the controller'),
      sealed: z.string().nullable().describe('why no value can be read now; null: they can'),
      recovery: z.int().describe('number of the keys that open a backup made now'),
      backedUpAt: time.nullable().describe('null: never'),
      unsavedSince: time.nullable().describe('since when there are values that the newest backup does not hold'),
    }),
  },
  putSecret: {
    ...{ method: 'POST', path: '/secrets/:path', role: 'operator', summary: 'store a new version of a secret' },
    params,
    body: z.object({
      fields,
      replace: z.boolean().default(false).describe('drop the fields that are not given'),
      cas: z.int().min(0).nullable().default(null).describe('the version that must be current; 0: there must be none'),
      reason,
    }),
    response: stored,
  },
  rollbackSecret: {
    ...{ method: 'POST', path: '/secrets/:path/rollback', role: 'operator', summary: 'store an earlier version again' },
    params,
    body: z.object({ version: version.nullable().default(null).describe('null: the one before'), reason }),
    response: stored,
  },
  deleteSecret: {
    dryRun: true,
    ...{
      method: 'POST',
      path: '/secrets/:path/delete',
      role: 'operator',
      summary: 'delete a secret; its versions stay',
    },
    params,
    body: z.object({ reason }),
    response: z.object({ position }),
  },
  undeleteSecret: {
    dryRun: true,
    ...{
      method: 'POST',
      path: '/secrets/:path/undelete',
      role: 'operator',
      summary: 'take back that a secret was deleted',
    },
    params,
    response: z.object({ position }),
  },
  destroySecret: {
    dryRun: true,
    ...{ method: 'POST', path: '/secrets/:path/destroy', role: 'operator', summary: 'remove values for good' },
    params,
    body: z.object({ versions: z.array(version).min(1).nullable().default(null).describe('null: all'), reason }),
    response: z.object({ position, versions: z.array(version).describe('those that are gone now') }),
  },
  grantSecret: {
    dryRun: true,
    ...{ method: 'POST', path: '/secrets/:path/grants', role: 'operator', summary: 'let a service use a secret' },
    params,
    body: z.object({ service }),
    response: z.object({ position }),
  },
  revokeSecret: {
    dryRun: true,
    ...{ method: 'POST', path: '/secrets/:path/revocations', role: 'operator', summary: 'take a grant back' },
    params,
    body: z.object({ service }),
    response: z.object({ position }),
  },
  rekeySecrets: {
    ...{ method: 'POST', path: '/secrets-rekey', role: 'operator', summary: 'make a new root key for the secrets' },
    body: z.object({
      first: z.boolean().default(false).describe('refuse if there is a root key already'),
      holders: z
        .array(z.string().max(100))
        .max(255)
        .default([])
        .describe('public keys of age, one for each share that the cluster file wants'),
    }),
    response: z.object({
      position,
      shares: z.array(z.string()).describe('for each holder, encrypted; none: the key is kept on the controller'),
      needed: z.int().describe('number of the shares that take the key into use; 0: it is in use'),
    }),
  },
  unsealSecrets: {
    ...{ method: 'POST', path: '/secrets-unseal', role: 'operator', summary: 'take a share of the root key' },
    body: z.object({ share: z.string().max(2_000) }),
    response: z.object({
      entered: z.int(),
      needed: z.int(),
      opened: z.boolean().describe('the shares have opened the key'),
    }),
  },
  sealSecrets: {
    ...{ method: 'POST', path: '/secrets-seal', role: 'operator', summary: 'forget a root key that is in shares' },
    response: z.object({}),
  },
} as const satisfies Record<string, Operation>
