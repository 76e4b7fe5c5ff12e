// Facts about the machine that every program on it can read: where to try.
import { readFileSync } from 'node:fs'
import { env } from 'node:process'

/** Here a cloud gives a program the rights of the machine. */
export const metadata = '169.254.169.254'

/** @param {string} path */
function linesOf(path) {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}
/** @param {string} path */
const rowsOf = (path) => linesOf(path).map((line) => line.trim().split(/\s+/))

/** The local address of each service. */
export const routes = () =>
  new Map(
    rowsOf('/etc/hosts').flatMap(([address = '', name = '']) =>
      address.startsWith('127.77.') && name.endsWith('.tandem.internal')
        ? [[address, name.replace('.tandem.internal', '')]]
        : [],
    ),
  )

/** `ADDRESS:PORT` of the services that this one uses, by the variables that Tandem sets. */
export const used = () =>
  new Map(
    Object.entries(env).flatMap(([name, host = '']) => {
      const prefix = /^(.+)_HOST$/.exec(name)?.[1]
      const port = env[`${prefix}_PORT`]
      return prefix === undefined || port === undefined ? [] : [[`${host}:${port}`, prefix]]
    }),
  )

/** This machine's addresses but for loopback. A service may not ask the kernel by netlink. */
export function ownAddresses() {
  const all = linesOf('/proc/net/fib_trie')
  const of4 = all.flatMap((line, index) => {
    const address = /\|-- (\S+)$/.exec(line)?.[1]
    return address !== undefined && /\/32 host LOCAL/.test(all[index + 1] ?? '') ? [address] : []
  })
  const isGlobal = '00'
  const of6 = rowsOf('/proc/net/if_inet6').flatMap(([address = '', , , scope]) =>
    scope === isGlobal ? [address.match(/.{4}/g)?.join(':') ?? ''] : [],
  )
  return [...new Set([...of4, ...of6])].filter((address) => !address.startsWith('127.') && address !== metadata)
}

/** @param {string} hex */
function endOf(hex) {
  const [address = '', port = ''] = hex.split(':')
  const bytes = address.slice(-8).match(/../g)?.toReversed() ?? []
  return { address: bytes.map((byte) => parseInt(byte, 16)).join('.'), port: parseInt(port, 16) }
}

const listens = '0A'

/** TCP sockets of all programs on the machine. */
function tcp() {
  return rowsOf('/proc/net/tcp').slice(1).map(([, local = '', remote = '', state]) => ({
    local: endOf(local),
    remote: endOf(remote),
    isListener: state === listens,
  }))
}

/** `ADDRESS:PORT` of those that listen at one IPv4 address. */
export const listeners = () =>
  new Set(tcp().flatMap(({ local, isListener }) => (isListener ? [`${local.address}:${local.port}`] : [])))

/** Addresses of other computers that this one knows. */
export function neighbours() {
  const own = ownAddresses()
  const known = [
    ...tcp().map(({ remote }) => remote.address),
    ...rowsOf('/proc/net/arp').slice(1).map(([address = '']) => address),
    ...rowsOf('/etc/hosts').map(([address = '']) => address),
  ]
  return [...new Set(known)].filter((address) => /^(?!127\.|0\.)\d+(\.\d+){3}$/.test(address) && !own.includes(address))
}

const stream = '0001'
const acceptsFlag = 0x10000

/** Unix sockets on which programs listen; `@`: an abstract one. HAProxy renames each after the kernel has its name. */
export const unixSockets = () => [
  ...new Set(
    rowsOf('/proc/net/unix').flatMap(([, , , flags = '', type, , , path]) =>
      path !== undefined && type === stream && parseInt(flags, 16) & acceptsFlag
        ? [path.replace(/\.\d+\.tmp$/, '')]
        : [],
    ),
  ),
]
