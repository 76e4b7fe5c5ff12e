import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { exec } from '../../../lib/exec.ts'
import { KeyedQueue } from '../../../lib/keyedQueue.ts'

/**
 * Longest time during which new connections to an address get no answer before the address moves. Their clients try
 * again a second later (RFC 6298), and should find the address moved by then.
 */
export const gateMs = 700
const commandMs = 2_000
const table = 'inet tandem_address'

/**
 * Lets an address move while no client is opening a connection to it: from `shut` on, packets that open a connection to
 * the address are dropped (nft(8), in a separate table), and their senders try again, at the machine that has taken the
 * address by then. Connections under way come to their end meanwhile.
 */
export class SynGate {
  #isOpen = true
  /** One change after the other: a slow `shut` must not take effect after the `open` that follows it. */
  readonly #queue = new KeyedQueue()
  /** Counts the requests: a finished `open` does not undo a later `shut`. */
  #asked = 0

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** `false`: this machine does not support it (no nft), and the address moves without the gate. */
  shut(address: string): Promise<boolean> {
    // Also set if the command fails: opening a gate that does not exist is harmless, but an existing gate must not
    // stay.
    this.#isOpen = false
    this.#asked++
    const family = isIPv6(address) ? 'ip6' : 'ip'
    const chain = '{ type filter hook input priority -300; policy accept; }'
    const ran = this.#inTurn([
      `add table ${table}`,
      `add chain ${table} gate ${chain}`,
      `add rule ${table} gate ${family} daddr ${address} tcp flags & (syn | ack) == syn drop`,
    ])
    return ran.then((how) => how === 'done')
  }

  /** Opens all addresses, including those that an earlier guard shut. */
  async open(): Promise<void> {
    const asked = ++this.#asked
    const how = await this.#inTurn([`add table ${table}`, `delete table ${table}`])
    // Without nft nothing was shut.
    if (asked === this.#asked) this.#isOpen = how !== 'failed'
  }

  #inTurn(commands: string[]): Promise<Ran> {
    return this.#queue.run('nft', () => nft(commands))
  }
}

type Ran = 'done' | 'failed' | 'not installed'

/** Runs the commands as one transaction. */
async function nft(commands: string[]): Promise<Ran> {
  try {
    const { code } = await exec(['nft', commands.join('; ')], { timeoutMs: commandMs })
    return code === 0 ? 'done' : 'failed'
  } catch (error) {
    return isMissing(error) ? 'not installed' : 'failed'
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ENOENT'

/** Number of TCP connections to a local address that are open or being opened, from `/proc/net/tcp` (proc(5)). */
export function openConnections(address: string, read = (path: string): string => readFileSync(path, 'utf8')): number {
  const local = ` ${kernelAddress(address)}:`
  const lines = read(isIPv6(address) ? '/proc/net/tcp6' : '/proc/net/tcp').split('\n')
  const open = new Set(['01', '03', '04', '08'])
  return lines.filter((line) => {
    const [, own = '', , state = ''] = line.trim().split(/\s+/)
    return ` ${own}`.startsWith(local) && open.has(state)
  }).length
}

/** Hex, each 32 bits in the byte order of the machine: little-endian on every machine that Tandem supports. */
export function kernelAddress(address: string): string {
  const bytes = isIPv6(address) ? ipv6Bytes(address) : address.split('.').map(Number)
  const words = Array.from({ length: bytes.length / 4 }, (_, index) =>
    bytes.slice(index * 4, index * 4 + 4).toReversed(),
  )
  return words
    .flat()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase()
}

function ipv6Bytes(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16))
  const [before, after] = [words(head), words(tail ?? '')]
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  return all.flatMap((word) => [word >> 8, word & 255])
}
