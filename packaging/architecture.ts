/** A kind of machine that an archive is made for. */
export interface Architecture {
  /** As Node says it, and the archive's name. */
  name: 'x64' | 'arm64'
  debian: 'amd64' | 'arm64'
  /** Where glibc's loader is: what the Node inside needs first of all. */
  loader: string
}

const architectures: readonly Architecture[] = [
  { name: 'x64', debian: 'amd64', loader: '/lib64/ld-linux-x86-64.so.2' },
  { name: 'arm64', debian: 'arm64', loader: '/lib/ld-linux-aarch64.so.1' },
]

export function architectureOf(name: string): Architecture {
  const found = architectures.find((one) => one.name === name)
  if (found) return found
  throw new Error(`no archive is made for ${name}: ARCH is ${architectures.map((one) => one.name).join(' or ')}`)
}
