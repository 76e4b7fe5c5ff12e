import type { Status } from '../../api/views.ts'

/** `@shared/smtp 1, shop/db 3`. */
export const versionsInWords = (secrets: Record<string, number>): string =>
  Object.entries(secrets)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, version]) => `${path} ${version}`)
    .join(', ')

/** The secrets that a service could get in a newer version: `shop/db 4 (runs with 3)`. */
export function newerSecrets(secrets: Status['services'][number]['secrets'] = []): string | null {
  const older = secrets.filter(({ version, newest, rejected }) => newest !== null && newest > version && !rejected)
  if (older.length === 0) return null
  return older.map(({ path, version, newest }) => `${path} ${newest} (runs with ${version})`).join(', ')
}
