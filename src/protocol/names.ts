import { z } from 'zod'
import { name, releaseId } from './basics.ts'
import { loopback, port } from './services.ts'
import type { Ability, ProgramOf, Slice } from './slice.ts'

const linkSchema = z.object({
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
  program: ({ links }: Desired, { release }: ProgramOf) => {
    const used = links[release] ?? []
    return { variables: linkVariables(used, 0), callsServices: used.length > 0 }
  },
} satisfies Slice

export type Link = z.infer<typeof linkSchema>
interface Desired {
  links: Record<string, Link[]>
}

/**
 * The variables about the services that a service uses: `POSTGRES_HOST`, `POSTGRES_PORT`, and `POSTGRES_URL` if that one
 * listens http. Those of a missing service are empty. `offset`: added to all ports of this machine, on a laptop.
 */
export function linkVariables(links: readonly Link[], offset: number): Record<string, string> {
  return Object.assign({}, ...links.map((link) => variablesOf(link, offset))) as Record<string, string> // each is one
}

function variablesOf({ prefix, answer }: Link, offset: number): Record<string, string> {
  const names = { host: `${prefix}_HOST`, port: `${prefix}_PORT`, url: `${prefix}_URL` }
  if (answer === null) return { [names.host]: '', [names.port]: '', [names.url]: '' }
  const { address, carries } = answer
  const port = answer.port + offset
  const url = carries === 'http' ? `http://${address}${port === 80 ? '' : `:${port}`}` : ''
  return { [names.host]: address, [names.port]: String(port), [names.url]: url }
}

export const namesAbility: Ability<{ links: Record<string, Link[]> }> = {
  name: 'names',
  words: 'give a service the addresses of the services that it uses',
  wanted: ({ links }) => {
    const used = new Set(Object.values(links).flatMap((all) => all.map(({ service }) => service)))
    return used.size === 0 ? null : `name ${[...used].sort().join(', ')} to the services that use them`
  },
}
