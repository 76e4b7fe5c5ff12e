import { sha256 } from '../../../lib/hash.ts'

/** What a file name, a unit's name and a log field can all carry. */
const nameShape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
/** useradd(8): longer names are refused by parts of the system. */
const longestUser = 31

export function checkName(name: string): void {
  if (!nameShape.test(name)) throw new Error(`"${name}" cannot name an instance or a service`)
}

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
