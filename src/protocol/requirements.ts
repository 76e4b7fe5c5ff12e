import { z } from 'zod'
import { jailSchema } from '../definitions/definitionSchema.ts'

const word = z.string().max(300)
const most = 1_000

/** Asks a machine which requirements of a release it meets. */
export const requirementsAsk = {
  /** Names, or absolute paths, of programs. */
  commands: z.array(word).max(most),
  /** As definitions store them: `postgresql-15>=15.4`. */
  packages: z.array(word).max(most),
  /** PATH of an instance as its definition writes it; `null`: it is inherited. */
  path: z.string().nullable(),
  /** The jail of an instance, which the machine's kernel must be able to hold. */
  jail: jailSchema.nullable(),
}

/** The area of a checkup's findings about requirements. */
export const requirementsArea = 'requires' as const

const bytes = z.number().nonnegative()

/** The answer of a machine. */
export const requirementFactsSchema = z.object({
  missingCommands: z.array(word).max(most),
  /** The packages that are missing, or have another version (`installed`). `null`: the machine has no dpkg. */
  missingPackages: z
    .array(z.object({ wanted: word, installed: word.nullable() }))
    .max(most)
    .nullable(),
  /** `null`: the machine does not tell. */
  memoryBytes: bytes.nullable(),
  diskBytes: bytes.nullable(),
  architecture: word,
  /** Why this machine cannot hold the jail, in words; `null`: it can. */
  cannotJail: z.string().max(2_000).nullable(),
})
export type RequirementFacts = z.infer<typeof requirementFactsSchema>
