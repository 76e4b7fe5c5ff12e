import { z } from 'zod'
import { name } from './basics.ts'
import type { Ability, ProgramOf, Slice } from './slice.ts'

const configSchema = z.object({
  /** `null`: nobody has set any. */
  version: z.int().nullable(),
  values: z.record(z.string(), z.string()),
})

/** The settings with which instances run. */
export const config = {
  desire: {
    /** By generation, of those that run on this machine or are about to. */
    config: z.record(name, configSchema).default({}),
  },
  report: {},
  program: ({ config: all }: Desired, { generation }: ProgramOf) => ({ settings: all[generation ?? '']?.values ?? {} }),
} satisfies Slice

interface Desired {
  config: Record<string, z.infer<typeof configSchema>>
}

export const configAbility: Ability<{ config: Record<string, unknown> }> = {
  name: 'config',
  words: 'give a service its configuration',
  wanted: ({ config: all }) =>
    Object.keys(all).length === 0 ? null : 'give services the configuration with which they are to run',
}
