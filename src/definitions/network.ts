import { isIP } from 'node:net'

/** An address, or a network as `10.0.0.0/8`; `null`: neither. The number of bits is always said. */
export function networkOf(written: string): string | null {
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(written) ?? []
  const family = isIP(address)
  if (family === 0 || address.includes('%')) return null
  const most = family === 4 ? 32 : 128
  const length = bits === undefined ? most : Number(bits)
  return length <= most ? `${address.toLowerCase()}/${length}` : null
}

export const isNetwork = (text: string): boolean => networkOf(text) === text
