import { BlockList, isIP } from 'node:net'

/** These networks without those that lie in another one: nft refuses sets in which intervals overlap. */
export function outermost(networks: readonly string[]): string[] {
  const all = [...new Set(networks.map(whole))]
  return all.filter((one) => !all.some((other) => other !== one && contains(other, one)))
}

/** With its prefix length, and without the bits after it. */
function whole(network: string): string {
  const [address = '', bits] = network.split('/')
  const family = isIP(address)
  return `${address}/${bits ?? (family === 6 ? 128 : 32)}`
}

function contains(outer: string, inner: string): boolean {
  const [outerAddress = '', outerBits] = outer.split('/')
  const [address = '', bits] = inner.split('/')
  const family = isIP(outerAddress) === 6 ? 'ipv6' : 'ipv4'
  if (isIP(address) !== isIP(outerAddress) || Number(bits) < Number(outerBits)) return false
  const list = new BlockList()
  list.addSubnet(outerAddress, Number(outerBits), family)
  // Two texts of one network contain each other: the first in the order of texts stays.
  return list.check(address, family) && (Number(bits) > Number(outerBits) || outer < inner)
}
