import { isIP, SocketAddress } from 'node:net'

/**
 * The canonical form of an address or a network such as `10.0.0.0/8`, always with the number of bits; `null`: neither.
 */
export function networkOf(written: string): string | null {
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(written) ?? []
  const family = isIP(address)
  if (family === 0 || address.includes('%')) return null
  const most = family === 4 ? 32 : 128
  const length = bits === undefined ? most : Number(bits)
  return length <= most ? `${address.toLowerCase()}/${length}` : null
}

/**
 * One form of each address, the one the system writes: so that two written forms of one address are recognized as the
 * same.
 */
export const canonicalAddress = (address: string): string =>
  isIP(address) === 6 ? new SocketAddress({ address, family: 'ipv6' }).address : address
