/** An architecture for which an archive is built. */
export interface Architecture {
  /** Name in Node and in the name of the archive. */
  name: 'x64' | 'arm64'
  debian: 'amd64' | 'arm64'
  /** Path of glibc's loader, which the included Node needs. */
  loader: string
}

const architectures: readonly Architecture[] = [
  { name: 'x64', debian: 'amd64', loader: '/lib64/ld-linux-x86-64.so.2' },
  { name: 'arm64', debian: 'arm64', loader: '/lib/ld-linux-aarch64.so.1' },
]

export function architectureOf(name: string): Architecture {
  const found = architectures.find((one) => one.name === name)
  if (found) return found
  throw new Error(`there is no archive for ${name}: set ARCH to ${architectures.map((one) => one.name).join(' or ')}`)
}
