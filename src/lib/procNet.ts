/** Decodes an address of /proc/net/tcp or tcp6: hex, each 32 bits in the byte order of the processor (proc(5)). */
export function addressIn(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed())
  if (bytes.length === 4) return dotted(bytes)
  const words = bytes.flatMap((byte, index) => (index % 2 === 0 ? [`${byte}${bytes[index + 1]}`] : []))
  if (words.slice(0, 5).every((word) => word === '0000') && words[5]?.toLowerCase() === 'ffff')
    return dotted(bytes.slice(12))
  const shown = words.map((word) => Number.parseInt(word, 16).toString(16)).join(':')
  return shown === '0:0:0:0:0:0:0:0' ? '::' : shown === '0:0:0:0:0:0:0:1' ? '::1' : shown
}

const dotted = (bytes: string[]): string => bytes.map((byte) => Number.parseInt(byte, 16)).join('.')

/** A listener on such an address listens on every address. */
export const isAnyAddress = (address: string): boolean => address === '0.0.0.0' || address === '::'

export const isLoopbackAddress = (address: string): boolean => address.startsWith('127.') || address === '::1'
