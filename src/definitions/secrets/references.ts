import type { Definition } from '../definition.ts'
import { fieldName, secretPath } from './paths.ts'

export const mostReferences = 100

/** A name in $CREDENTIALS_DIRECTORY, or of a variable. systemd keeps a credential under it. */
export const credentialName = /^(?!__proto__$|constructor$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?$/
export const credentialNameRule =
  'the name of a file: letters, digits, dashes, dots and underscores, at most 64 characters'

/** The credential that holds the variables of all secrets `as: env`. */
export const environmentCredential = 'environment'

const body = (pattern: RegExp): string => pattern.source.replace(/^\^|\$$/g, '')
const ownName = '[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?'

export const referencePattern = new RegExp(`^(?:${ownName}|${body(secretPath)})(?:#${body(fieldName)})?$`)
export const referenceRule = 'a secret, such as db (of this service), shop/db or @shared/smtp#password'

/** A secret that a service gets. */
export interface SecretReference {
  /** Of its file or variable. */
  name: string
  /** Full, such as shop/db. */
  path: string
  /** `null`: the only one that the secret has. */
  field: string | null
  as: 'file' | 'env'
}

/** The secrets that a service gets, by name. */
export const referencesOf = ({ service, secrets = {} }: Pick<Definition, 'service' | 'secrets'>): SecretReference[] =>
  Object.entries(secrets)
    .map(([name, { from, as = 'file' }]) => ({ name, as, ...pathOf(service, from) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))

function pathOf(service: string, from: string): Pick<SecretReference, 'path' | 'field'> {
  const [path = '', field = null] = from.split('#')
  return { path: path.includes('/') ? path : `${service}/${path}`, field }
}
