import { z } from 'zod'
import { fieldName, longestSecretPath, secretPath } from '../definitions/secrets/paths.ts'
import { credentialName, mostReferences } from '../definitions/secrets/references.ts'
import { name, releaseId } from './basics.ts'
import type { Ability, ProgramOf, Slice } from './slice.ts'

const generationSchema = z.object({
  ...{ service: name, generation: name, release: releaseId },
  /** The version of each secret, by path: a controller whose log was restored learns them from here. */
  versions: z.record(z.string(), z.int()).default({}),
})

const givenSchema = z.object({
  /** Of its file or variable. */
  name: z.string().max(200).regex(credentialName),
  as: z.enum(['file', 'env']),
  path: z.string().max(longestSecretPath).regex(secretPath),
  field: z.string().max(200).regex(fieldName),
  version: z.int().positive(),
  /** Position of the event that stored this version: numbers of versions are given out again after a restored log. */
  position: z.int().nonnegative(),
})

/** The secrets of one service on one machine, by generation: those that run, or are about to. */
export const secretContentSchema = z.object({
  service: name,
  generations: z.record(name, z.object({ release: releaseId, secrets: z.array(givenSchema).max(mostReferences) })),
})

/** The values in an order, by `valueId`; base64. */
export const secretValuesSchema = z.record(z.string(), z.base64())

/** An order of the controller: the agent carries it to the privileged helper, and can read no value. */
export const secretOrderSchema = z.object({
  /** One line of JSON (identity/order.ts); `null`: the controller has no certificate, on a laptop. */
  order: z.string().nullable(),
  /** `secretContentSchema`, as JSON. */
  content: z.string(),
  /** `secretValuesSchema` as JSON, encrypted with age to the machine, base64; `null`: the machine has all of them. */
  values: z.string().nullable(),
})

export type GivenSecret = z.infer<typeof givenSchema>
export type SecretContent = z.infer<typeof secretContentSchema>
export type SecretOrder = z.infer<typeof secretOrderSchema>

/** A value that a machine keeps: it never changes. */
export const valueId = ({ path, field, version, position }: Omit<GivenSecret, 'name' | 'as'>): string =>
  `${path}#${field}@${version}.${position}`

/** Which generations have secrets. The values come in an order, which the agent asks for and cannot read. */
export const secrets = {
  desire: {
    /** Those that run on this machine, or are about to. */
    secrets: z.array(generationSchema).default([]),
  },
  report: {},
  program: ({ secrets: all }: { secrets: SecretGeneration[] }, { generation }: ProgramOf) => ({
    hasSecrets: all.some((one) => one.generation === generation),
  }),
} satisfies Slice

export type SecretGeneration = z.infer<typeof generationSchema>

export const secretsAbility: Ability<{ secrets: SecretGeneration[] }> = {
  name: 'secrets',
  words: 'give a service its secrets',
  wanted: ({ secrets: all }) => {
    const services = [...new Set(all.map(({ service }) => service))].sort()
    return services.length === 0 ? null : `give ${services.join(', ')} their secrets`
  },
}
