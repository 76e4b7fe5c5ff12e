import { z } from 'zod'
import { name, releaseId } from './basics.ts'
import { loopback, port } from './services.ts'
import type { Ability, Slice } from './slice.ts'

export const linkSchema = z.object({
  /** Begins the names of its variables: `POSTGRES`. */
  prefix: z.string(),
  service: name,
  /** Where programs on this machine reach the service; `null`: it is optional and missing. */
  answer: z.object({ address: loopback, port, carries: z.enum(['http', 'tcp']) }).nullable(),
})

/** Names of services, and what releases use. */
export const names = {
  desire: {
    /** The services that each release uses which may run here, by release id. */
    links: z.record(releaseId, z.array(linkSchema)).default({}),
    /** Every service with a loopback address of its own: `SERVICE.tandem.internal` in the hosts file. */
    names: z.array(z.object({ service: name, address: loopback })).default([]),
  },
  report: {},
} satisfies Slice

export type Link = z.infer<typeof linkSchema>

export const namesAbility: Ability<{ links: Record<string, Link[]> }> = {
  name: 'names',
  words: 'give a service the addresses of the services that it uses',
  wanted: ({ links }) => {
    const used = new Set(Object.values(links).flatMap((all) => all.map(({ service }) => service)))
    return used.size === 0 ? null : `name ${[...used].sort().join(', ')} to the services that use them`
  },
}
