import type { ApiClient } from '../../api/client.ts'
import { rollAfter } from '../commands/rollAfter.ts'
import type { Session } from '../session.ts'

/** The services whose instances run with a version before this one, sorted. */
export async function servicesBefore(
  client: ApiClient,
  path: string,
  version: number,
  signal: AbortSignal,
): Promise<string[]> {
  const { uses } = await client.call('secretVersions', { params: { path } }, signal)
  return [...new Set(uses.filter((one) => one.version < version).map(({ service }) => service))].sort()
}

/** The next step after a new version: `restart` brings it. */
export const restartWords = (services: readonly string[]): string =>
  services.map((service) => `\n  tandem restart ${service}   brings it to ${service}`).join('')

/** Restarts the services that a new version is for; `stored` tells which version that is. */
export async function restartAll(
  session: Session,
  client: ApiClient,
  stored: object,
  services: readonly string[],
): Promise<number> {
  if (services.length === 0) session.out.note('no instance runs with an earlier version: nothing to restart')
  return rollAfter(session, client, { ...stored, services }, services)
}
