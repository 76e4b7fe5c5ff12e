import type { RolloutView, Status } from '../../api/views.ts'
import type { Paint } from '../paint.ts'

/** `secrets: @shared/smtp 1, shop/db 3`. */
export function pinnedSecrets({ pins }: RolloutView): string[] {
  const versions = Object.entries(pins?.secrets ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return versions.length === 0 ? [] : [`secrets: ${versions.map((one) => one.join(' ')).join(', ')}`]
}

/** The secrets that a service could get in a newer version. */
export function newerSecrets({ service, secrets = [] }: Status['services'][number], paint: Paint): string[] {
  const older = secrets.filter(({ version, newest, rejected }) => newest !== null && newest > version && !rejected)
  if (older.length === 0) return []
  const words = older.map(({ path, version, newest }) => `${path} ${newest} (runs with ${version})`).join(', ')
  return [`  ${paint('yellow', '!')} newer secrets: ${words}; tandem restart ${service}   takes them`]
}
