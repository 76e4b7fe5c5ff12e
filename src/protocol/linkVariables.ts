import type { Link } from './names.ts'

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
