import { z } from 'zod'
import { name } from './basics.ts'
import type { Ability, Slice } from './slice.ts'

/** The settings with which instances run. */
export const config = {
  desire: {
    /** By generation, of those that run on this machine or are about to: variables and their values. */
    config: z.record(name, z.record(z.string(), z.string())).default({}),
  },
  report: {},
} satisfies Slice

export const configAbility: Ability<{ config: Record<string, Record<string, string>> }> = {
  name: 'config',
  words: 'give a service its configuration',
  wanted: ({ config: all }) =>
    Object.keys(all).length === 0 ? null : 'give services the configuration with which they are to run',
}
