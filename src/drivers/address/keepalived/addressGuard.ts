import { writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { execOrThrow } from '../../../lib/exec.ts'
import type { HeldAddress } from '../address.ts'
import { readWord, writeWhole, type GuardSettings } from './guardFiles.ts'
import { GuardVerdict, type Look, type Verdict } from './guardVerdict.ts'
import { HaproxyWatch, type HaproxySight } from './haproxyWatch.ts'
import { trackFile, type KeepalivedFiles } from './keepalivedFiles.ts'
import { hostPrefix } from './keepalivedSettings.ts'
import { KeepalivedWatch } from './keepalivedWatch.ts'
import { gateMs, openConnections, SynGate } from './synGate.ts'

/** Interval between two looks. */
export const lookMs = 100
/** A tick this late means that this process stood still, not the processes it observes. */
const stoodStillMs = 400
/** The state is written at least this often, so that its age shows whether the guard lives. */
const stateMs = 2_000
/** Addresses that keepalived did not remove when it ended are removed by the guard after this many looks. */
const patienceLooks = 3
const commandMs = 2_000

/** The guard's access to the system. Real in production; no part of it uses the network. */
export interface GuardParts {
  haproxy: Pick<HaproxyWatch, 'look' | 'forgive' | 'close'> | null
  keepalived: Pick<KeepalivedWatch, 'look' | 'living' | 'forgive'>
  gate: Pick<SynGate, 'isOpen' | 'shut' | 'open'>
  addressesHere: () => Set<string>
  connectionsTo: (address: string) => number
  kill: (pid: number) => void
  takeOff: (address: string) => void
  say: (text: string) => void
}

/**
 * Removes the virtual addresses from this machine when it does not serve. The guard looks, judges (guardVerdict.ts),
 * and controls keepalived through track files. It kills a dead or frozen keepalived and removes the addresses that
 * keepalived left. systemd restarts keepalived.
 */
export class AddressGuard {
  #settings: GuardSettings
  #files: KeepalivedFiles
  #parts: GuardParts
  #verdict = new GuardVerdict()
  #tracked = new Map<string, boolean>()
  #held = new Map<string, string>()
  #shutAt = new Map<string, number>()
  /** Actually shut, as far as this machine supports that. */
  #shutNow = new Set<string>()
  #isOpening = false
  #leftLooks = 0
  #written = { text: '', at: -Infinity }
  #lookedAt: number | null = null
  #said = ''

  constructor(settings: GuardSettings, files: KeepalivedFiles, parts: GuardParts) {
    this.#settings = settings
    this.#files = files
    this.#parts = parts
  }

  /** One look, and all its consequences. */
  look(now: number): void {
    const { haproxy, keepalived } = this.#parts
    if (this.#lookedAt !== null && now - this.#lookedAt > stoodStillMs) {
      haproxy?.forgive(performance.now())
      keepalived.forgive(now)
    }
    this.#lookedAt = now
    const word = readWord(this.#files.word)
    const held = this.#lookAtAddresses()
    const sight: HaproxySight = haproxy
      ? haproxy.look(performance.now(), (word?.refused.length ?? 0) > 0)
      : { state: 'well', reachesAny: null, reaches: [] }
    const seen: Look = {
      ...{
        at: now,
        held: held.map(({ address }) => address),
        haproxy: sight.state,
        reachesAny: sight.reachesAny,
        word,
      },
      keepalived: keepalived.look(now, held.length > 0),
    }
    const verdict = this.#verdict.judge(this.#settings.addresses, seen)
    this.#track(verdict, now)
    this.#cleanUp(verdict, seen)
    this.#tell(verdict, held, sight.reaches, now)
  }

  close(): void {
    this.#parts.haproxy?.close()
  }

  #lookAtAddresses(): HeldAddress[] {
    const here = this.#parts.addressesHere()
    for (const address of this.#settings.addresses) {
      if (!here.has(address)) this.#held.delete(address)
      else if (!this.#held.has(address)) this.#held.set(address, new Date().toISOString())
    }
    return [...this.#held].map(([address, since]) => ({ address, since }))
  }

  #track({ withheld, gently }: Verdict, now: number): void {
    // Giving up was cancelled: clients that were shut out meanwhile are accepted again below.
    for (const address of this.#shutAt.keys()) {
      if (gently.has(address)) continue
      this.#shutAt.delete(address)
      this.#shutNow.delete(address)
    }
    for (const address of this.#settings.addresses) {
      const must = withheld.has(address)
      if (must && gently.has(address) && this.#held.has(address) && !this.#isQuiet(address, now)) continue
      if (this.#tracked.get(address) === must) continue
      writeFileSync(trackFile(this.#files.run, address), must ? '1\n' : '0\n')
      this.#tracked.set(address, must)
    }
    if (this.#parts.gate.isOpen || [...this.#shutAt.keys()].some((address) => this.#held.has(address))) return
    this.#shutAt.clear()
    this.#shutNow.clear()
    void this.#open()
  }

  async #shut(address: string): Promise<void> {
    const isShut = await this.#parts.gate.shut(address)
    this.#shutNow.add(address)
    if (isShut) return
    this.#parts.say(
      `cannot hold back new connections to ${address} (is nft installed?): a connection opened during the move is lost`,
    )
  }

  /** Tried at each look until it succeeds: otherwise clients would stay shut out. */
  async #open(): Promise<void> {
    if (this.#isOpening) return
    this.#isOpening = true
    await this.#parts.gate.open()
    this.#isOpening = false
  }

  /** Whether all exchanges at that address have ended, as far as the guard can wait for that. */
  #isQuiet(address: string, now: number): boolean {
    const since = this.#shutAt.get(address)
    if (since === undefined) {
      this.#shutAt.set(address, now)
      void this.#shut(address)
      return false
    }
    if (now - since >= gateMs) return true
    return this.#shutNow.has(address) && this.#parts.connectionsTo(address) === 0
  }

  /**
   * When keepalived ends, its unit removes its addresses (ExecStopPost); if that does not happen soon, the guard does
   * it.
   */
  #cleanUp({ cleanUp }: Verdict, { keepalived, held }: Look): void {
    this.#leftLooks = cleanUp ? this.#leftLooks + 1 : 0
    if (!cleanUp) return
    if (keepalived === 'frozen') this.#parts.say(`keepalived is frozen and holds ${held.join(', ')}: killing it`)
    for (const pid of this.#parts.keepalived.living()) this.#parts.kill(pid)
    if (this.#leftLooks < patienceLooks) return
    for (const address of held) this.#parts.takeOff(address)
  }

  #tell({ withheld, trouble }: Verdict, held: HeldAddress[], reaches: string[], now: number): void {
    const why = [...new Set(withheld.values())].join('; ') || null
    const state = { held, withheld: why, trouble, reaches }
    const text = JSON.stringify(state)
    if (text === this.#written.text && now - this.#written.at < stateMs) return
    writeWhole(this.#files.state, { at: now, ...state })
    this.#written = { text, at: now }
    const said = `holds ${held.map(({ address }) => address).join(', ') || 'nothing'}${why ? `; withheld: ${why}` : ''}`
    if (said !== this.#said) this.#parts.say(said)
    this.#said = said
  }
}

/** The parts of the guard on a real machine. */
export function guardParts(settings: GuardSettings, files: KeepalivedFiles, say: (text: string) => void): GuardParts {
  const { haproxy, interface: card, addresses } = settings
  return {
    haproxy: haproxy === null ? null : new HaproxyWatch(haproxy, performance.now()),
    keepalived: new KeepalivedWatch(files, settings.advert),
    gate: new SynGate(),
    addressesHere: () => addressesOn(card),
    connectionsTo: openConnections,
    kill: (pid) => killed(pid),
    takeOff: (address) => {
      // Removes only virtual addresses of this cluster, on the card where keepalived put them.
      if (!addresses.includes(address)) return
      const argv = ['ip', 'address', 'del', hostPrefix(address), 'dev', card]
      execOrThrow(argv, { timeoutMs: commandMs }).then(
        () => say(`removed ${address} from this machine`),
        (error: unknown) => say(`could not remove ${address} from this machine: ${String(error)}`),
      )
    },
    say,
  }
}

const addressesOn = (card: string): Set<string> =>
  new Set((networkInterfaces()[card] ?? []).map(({ address }) => address))

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // The process ended at this moment.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
