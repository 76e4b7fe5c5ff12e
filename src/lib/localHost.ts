import { isIP } from 'node:net'

export const isLoopbackAddress = (address: string): boolean => /^(127\.|::1$|::ffff:127\.)/.test(address)

/**
 * True if a `Host` header names a computer by address, or the local computer: no such value can be a name in foreign
 * DNS.
 */
export function isLocalHost(host: string | undefined): boolean {
  const name = (host ?? '')
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')
}

/** True for the local computer, by address or by name. */
export const isLoopback = (host: string): boolean => /^127\.|^::1$|^localhost$/.test(host)

/** The address on which to listen in order to be reached at `host` and at every other address of this computer. */
export const anyAddress = (host: string): string => (isLoopback(host) ? host : isIP(host) === 6 ? '::' : '0.0.0.0')
