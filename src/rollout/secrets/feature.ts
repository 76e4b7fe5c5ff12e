import type { Definition } from '../../definitions/definition.ts'
import { ownerOf } from '../../definitions/secrets/paths.ts'
import { referencesOf, type SecretReference } from '../../definitions/secrets/references.ts'
import { refuse, type Refusal } from '../../decision/refuse.ts'
import { refuseInability } from '../../fleet/abilities.ts'
import type { Pins } from '../../events/rolloutEvents.ts'
import type { SecretsState } from '../../secrets/state.ts'
import { secretsAbility } from '../../protocol/secrets.ts'
import type { RolloutFeature } from '../rolloutFeature.ts'
import { definitionNow, wantedOn } from '../serviceView.ts'
import type { State } from '../state.ts'
import { secretGenerations } from './desired.ts'
import { pinned, pinsOf } from './pins.ts'
import { rejectedSecrets } from './rejected.ts'

/** The secrets that a release names. */
export const secrets: RolloutFeature = {
  refuse: (state, { definition, observed, former }) =>
    definition === null
      ? null
      : (refuseSharedUser(state, definition) ??
        (definition.secrets === undefined
          ? null
          : (refuseInability(state, observed, secretsAbility, definition.service) ??
            refuseKeyless(state, definition) ??
            refuseSecrets(state, definition, former)))),
  pins: pinned,
  rejections: rejectedSecrets,
  heldPins: ({ secrets: held }) =>
    Object.fromEntries(held.map(({ generation, versions }) => [generation, { secrets: versions }])),
  desire: (state, machine) => ({ secrets: secretGenerations(state, machine) }),
  warnings: (state, { service, kind, release }) => {
    const definition = state.releases[release]?.definition
    if (kind === 'stop' || kind === 'remove' || !definition) return []
    const passedOver = pinsOf(state, definition).filter(({ rejected }) => rejected !== undefined)
    return passedOver.map(
      ({ path, version, rejected }) =>
        `${service} gets version ${version} of ${path}: a rollout with version ${rejected} was reverted`,
    )
  },
}

function refuseSecrets(state: State, definition: Definition, former: Pins): Refusal | null {
  const { service } = definition
  const versions = new Map(pinsOf(state, definition, former).map(({ path, version }) => [path, version]))
  for (const reference of referencesOf(definition)) {
    const { path, field } = reference
    const secret = state.secrets[path]
    const fields = secret?.versions.find(({ version }) => version === versions.get(path))?.fields
    if (!secret || !fields) return missing(service, reference)
    if (ownerOf(path) !== service && !secret.grants.includes(service)) return notGranted(service, path)
    if (field === null && fields.length > 1) return severalFields(service, path, fields)
    if (field !== null && !fields.includes(field)) return noSuchField(service, path, field, fields)
  }
  return null
}

/** On a laptop the agent keeps the secrets, under a key of its own. */
function refuseKeyless(state: State, definition: Definition): Refusal | null {
  if (state.config.laptop) return null
  const machines = Object.keys(state.machines).filter((machine) => wantedOn(state, definition, machine) > 0)
  const keyless = machines.find((machine) => !Object.hasOwn(state.helperKeys, machine))
  return keyless === undefined ? null : noHelperKey(keyless)
}

/** Whoever runs under the same user can read the memory and the environment of the other. */
function refuseSharedUser(state: State, { service, jail, secrets: own }: Definition): Refusal | null {
  const user = jail?.user
  if (user === undefined) return null
  for (const name of Object.keys(state.services).filter((one) => one !== service)) {
    const other = definitionNow(state, name)
    if (other?.jail?.user !== user || (own === undefined && other.secrets === undefined)) continue
    const holder = own === undefined ? name : service
    return refuse(
      'E_SHARED_USER',
      `${service} and ${name} would run as the same user ${user}, and ${holder} has secrets`,
      service,
      `remove \`jail: user\` from one of both: then it has a user of its own`,
    )
  }
  return null
}

export const noHelperKey = (machine: string): Refusal =>
  refuse(
    'E_NO_HELPER_KEY',
    `machine ${machine} has no key to which secrets can be encrypted`,
    machine,
    `tandem machine add ${machine}   prints a command; run it on ${machine} as root`,
  )

const missing = (service: string, { path, field }: SecretReference): Refusal =>
  refuse(
    'E_NO_SUCH_SECRET',
    `${service} names the secret ${path}, which nobody has stored`,
    path,
    `tandem secrets put ${path} ${field ?? 'value'}=-`,
  )

const notGranted = (service: string, path: string): Refusal =>
  refuse(
    'E_SECRET_NOT_GRANTED',
    `${service} names the secret ${path}, which it may not use`,
    path,
    `tandem secrets grant ${path} ${service}`,
  )

const severalFields = (service: string, path: string, fields: readonly string[]): Refusal =>
  refuse(
    'E_NO_SUCH_SECRET',
    `${service} names the secret ${path}, which has ${fields.length} fields: ${fields.join(', ')}`,
    path,
    `name one of them, such as ${path}#${fields[0]}`,
  )

const noSuchField = (service: string, path: string, field: string, fields: readonly string[]): Refusal =>
  refuse(
    'E_NO_SUCH_SECRET',
    `${service} names ${path}#${field}, and ${path} has no such field; it has ${fields.join(', ')}`,
    path,
    `tandem secrets put ${path} ${field}=-`,
  )

declare module '../featureState.ts' {
  interface FeatureState extends Pick<SecretsState, 'secrets' | 'helperKeys'> {}
  interface Rejected {
    /** By path, the version. */
    secrets?: Record<string, number>
  }
}
