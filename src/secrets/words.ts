import { change, type Words } from '../decision/words.ts'
import { ownerOf } from '../definitions/secrets/paths.ts'
import type { SecretEvents } from '../events/secretEvents.ts'

export const secretWords: Words<SecretEvents> = {
  SecretStored: ({ path, version, fields, reason, of }) => {
    const text = of === null ? `was stored in version ${version}` : `is version ${of} again, as version ${version}`
    return change('note', subject(path), `${text} (${fields.join(', ')})${because(reason)}`, place(path))
  },
  SecretDeleted: ({ path, reason }) => change('note', subject(path), `was deleted${because(reason)}`, place(path)),
  SecretUndeleted: ({ path }) => change('note', subject(path), 'is back', place(path)),
  SecretDestroyed: ({ path, versions, reason }) => {
    const many = versions.length === 1 ? `version ${versions[0]}` : `${versions.length} versions`
    return change('note', subject(path), `lost ${many} for good${because(reason)}`, place(path))
  },
  SecretGranted: ({ path, service }) => change('note', subject(path), `may be used by ${service}`, { service }),
  SecretRevoked: ({ path, service }) =>
    change('note', subject(path), `may no longer be used by ${service}`, { service }),
  RootKeyOffered: ({ shares: { needed, of } }) =>
    change('note', 'controller', `made a root key in ${of} shares; ${needed} of them take it into use`),
  HelperKeyRegistered: ({ machine }) => change('note', machine, 'made the key to which its secrets are encrypted'),
  BackupTaken: ({ recipients }) => {
    const keys = recipients === 1 ? 'one recovery key opens it' : `${recipients} recovery keys open it`
    return change('note', 'controller', `was backed up with its secrets; ${keys}`)
  },
  RootKeyUsed: ({ id }) => change('note', 'controller', `keeps secrets under the root key ${id}`),
}

const subject = (path: string): string => `secret ${path}`
const because = (reason: string | null): string => (reason === null ? '' : `: ${reason}`)
const place = (path: string) => ({ service: ownerOf(path) })
