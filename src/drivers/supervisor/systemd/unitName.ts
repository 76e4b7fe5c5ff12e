import { sha256 } from '../../../lib/hash.ts'

/** useradd(8): longer names are refused by parts of the system. */
const longestUser = 31

/** `tandem-SERVICE-….service`; an instance's id begins with its service as a rule, and is then not said twice. */
export function unitName(service: string, id: string): string {
  const name = id.startsWith(`${service}-`) ? id : `${service}-${id}`
  return `tandem-${name}.service`
}

/** All instances of a service are one user: with one each, the second locks the first out of the data folder. */
export function userName(service: string): string {
  const name = `tandem-${service}`
  return name.length <= longestUser ? name : `${name.slice(0, longestUser - 9)}-${sha256(service).slice(0, 8)}`
}

/** In a slice's name `-` means "within", so the service's own are escaped (systemd.unit(5)). */
export function sliceName(service: string): string {
  return `tandem-${service.replaceAll('-', '\\x2d')}.slice`
}
