import type { SecretView, secretOperations } from '../../api/secrets.ts'
import { ownerOf } from '../../definitions/secrets/paths.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { noSuchSecret } from '../../secrets/room.ts'
import { currentVersion, rejectedBy, type Secret, type SecretVersion } from '../../secrets/state.ts'
import { machineCaller } from '../../events/event.ts'
import { unsavedSince } from '../../secrets/unsaved.ts'
import type { Controller } from '../controller.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import { refusalError } from '../refusalError.ts'
import { usesOf } from './view.ts'

export function secretHandlers({
  controller,
  secrets: keeper,
  secretOrders,
  membership,
}: Rooms): Handlers<keyof typeof secretOperations> {
  const position = (): { position: number } => ({ position: controller.state.position })
  return {
    secrets: ({ query }) => ({
      secrets: Object.values(controller.state.secrets)
        .filter(({ path, versions }) => path.startsWith(query.prefix) && versions.length > 0)
        .toSorted((a, b) => (a.path < b.path ? -1 : 1))
        .map((secret) => secretView(controller.state, secret)),
    }),
    secretVersions: ({ params: { path } }) => {
      const secret = controller.state.secrets[path]
      if (!secret) throw refusalError(noSuchSecret(path))
      const versions = secret.versions.map(versionView).toReversed()
      return { secret: secretView(controller.state, secret), versions, uses: usesOf(controller.state, path) }
    },
    secretValue: async ({ params: { path }, query }) => {
      const { version, fields } = await keeper.read(path, query.version)
      const chosen = query.field === undefined ? fields : { [query.field]: fieldOf(path, fields, query.field) }
      return {
        ...{ path, version },
        fields: Object.fromEntries(Object.entries(chosen).map(([name, value]) => [name, value.toString('base64')])),
      }
    },
    secretsStatus: async () => {
      const { secrets, rootKey, shares, backedUpAt, cluster } = controller.state
      const unsaved = unsavedSince(controller.state)
      return {
        ...{ secrets: Object.keys(secrets).length, rootKey, sealed: await keeper.ring.whySealed() },
        versions: Object.values(secrets).reduce((sum, { versions }) => sum + versions.length, 0),
        recovery: cluster?.recovery?.length ?? 0,
        shares: shares && { needed: shares.needed, of: shares.of },
        backedUpAt: backedUpAt === null ? null : new Date(backedUpAt).toISOString(),
        unsavedSince: unsaved === null ? null : new Date(unsaved).toISOString(),
      }
    },
    secretOrder: ({ params: { service }, body }, { machine }) =>
      secretOrders.make({ machine: machine ?? '', service, ...body }),
    registerHelperKey: async ({ body: { recipient, hasJoined } }, caller) => {
      const token = caller.role === 'joiner' ? caller.secret : ''
      const machine = await membership.machineWithKey(token, recipient, hasJoined)
      await controller.execute({ type: 'RegisterHelperKey', machine, recipient }, machineCaller(machine))
      return { machine, signs: true }
    },
    putSecret: async ({ params: { path }, body }, { name }) => {
      const fields = Object.fromEntries(
        Object.entries(body.fields).map(([field, value]) => [field, Buffer.from(value, 'base64')]),
      )
      const stored = await keeper.put({ ...body, path, fields }, name)
      return { ...position(), path, ...stored }
    },
    rollbackSecret: async ({ params: { path }, body }, { name }) => {
      const stored = await keeper.rollback(path, body.version, body.reason, name)
      return { ...position(), path, ...stored }
    },
    deleteSecret: ({ params, body }) => ({
      request: () => ({ type: 'DeleteSecret', ...params, ...body }),
      answer: position,
    }),
    undeleteSecret: ({ params }) => ({ request: () => ({ type: 'UndeleteSecret', ...params }), answer: position }),
    destroySecret: ({ params, body }) => ({
      request: () => ({ type: 'DestroySecret', ...params, ...body }),
      answer: async (events) => {
        await keeper.destroyed(params.path)
        const gone = events.flatMap((event) => (event.type === 'SecretDestroyed' ? event.data.versions : []))
        return { ...position(), versions: gone }
      },
    }),
    grantSecret: ({ params, body }) => ({
      request: () => ({ type: 'GrantSecret', ...params, ...body }),
      answer: position,
    }),
    revokeSecret: ({ params, body }) => ({
      request: () => ({ type: 'RevokeSecret', ...params, ...body }),
      answer: position,
    }),
    rekeySecrets: async ({ body }, { name }) => {
      if (body.first && (controller.state.rootKey ?? controller.state.offered) !== null) throw initialised()
      const shares = await keeper.rekey(body.holders, name)
      return { ...position(), shares, needed: shares.length === 0 ? 0 : (controller.state.offered?.shares.needed ?? 0) }
    },
    unsealSecrets: async ({ body }, { name }) => keeper.unseal(body.share, name),
    sealSecrets: () => {
      keeper.ring.forget()
      return {}
    },
  }
}

const initialised = (): OperatorError =>
  new OperatorError('E_USAGE', 'there is a root key already', {
    subject: 'tandem secrets init',
    next: 'tandem secrets rekey   makes a new one; tandem secrets status shows the present one',
  })

function fieldOf(path: string, fields: Record<string, Buffer>, field: string): Buffer {
  const value = Object.hasOwn(fields, field) ? fields[field] : undefined
  if (value) return value
  throw new OperatorError('E_NO_SUCH_SECRET', `${path} has no field ${field}`, {
    subject: path,
    next: `its fields: ${Object.keys(fields).join(', ')}`,
  })
}

const secretView = (state: Controller['state'], secret: Secret): SecretView => {
  const current = currentVersion(secret)
  return {
    ...{ path: secret.path, owner: ownerOf(secret.path), grants: secret.grants, deleted: secret.isDeleted },
    current: current && versionView(current),
    versions: secret.versions.length,
    rejectedBy: current ? rejectedBy(state, secret.path, current.version) : [],
  }
}

const versionView = ({ version, fields, bytes, at, by, reason, of }: SecretVersion) => ({
  ...{ version, fields, bytes, by, reason, of },
  at: new Date(at).toISOString(),
})
