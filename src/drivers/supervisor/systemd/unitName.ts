import { sha256 } from '../../../lib/hash.ts'

/** useradd(8): parts of the system reject longer names. */
const longestUser = 31

/** `tandem-SERVICE-….service`. The id of an instance usually begins with its service, which is then not repeated. */
export function unitName(service: string, id: string): string {
  const name = id.startsWith(`${service}-`) ? id : `${service}-${id}`
  return `tandem-${name}.service`
}

/**
 * All instances of a service share one user: with a user per instance, the second would lock the first out of the data
 * folder.
 */
export function userName(service: string): string {
  const name = `tandem-${service}`
  return name.length <= longestUser ? name : `${name.slice(0, longestUser - 9)}-${sha256(service).slice(0, 8)}`
}

/** In the name of a slice, `-` means "within", so each `-` of the service is escaped (systemd.unit(5)). */
export function sliceName(service: string): string {
  return `tandem-${service.replaceAll('-', '\\x2d')}.slice`
}
