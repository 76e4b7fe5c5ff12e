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

/** How often everything is looked at. */
export const lookMs = 100
/** A tick so late means that this process stood still, not what it looks at. */
const stoodStillMs = 400
/** The state is written at least this often, so that its age says whether the guard lives. */
const stateMs = 2_000
/** What keepalived's end did not take off by itself is taken off by hand after so many looks. */
const patienceLooks = 3
const commandMs = 2_000

/** What the guard asks the system. Real in production; no part of it speaks to the network. */
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
 * Takes the virtual addresses off this machine when it does not serve. It looks, judges (guardVerdict.ts), and tells
 * keepalived by track files; what a dead or frozen keepalived left behind it ends and takes off itself. systemd starts
 * keepalived again.
 */
export class AddressGuard {
  #settings: GuardSettings
  #files: KeepalivedFiles
  #parts: GuardParts
  #verdict = new GuardVerdict()
  #tracked = new Map<string, boolean>()
  #held = new Map<string, string>()
  #shutAt = new Map<string, number>()
  /** Really shut, as far as this machine can. */
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

  /** One look, and all that follows from it. */
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
    // Called off: whoever was shut out meanwhile is let in again below.
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
    this.#parts.say(`new connections to ${address} cannot be held back (no nft?): one made in the very moment is lost`)
  }

  /** Tried with each look until it is done: who is shut out would stay so. */
  async #open(): Promise<void> {
    if (this.#isOpening) return
    this.#isOpening = true
    await this.#parts.gate.open()
    this.#isOpening = false
  }

  /** Nobody is in the middle of anything at that address, as far as can be waited for. */
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

  /** keepalived's end takes its addresses off (ExecStopPost of its unit); if not soon, this does. */
  #cleanUp({ cleanUp }: Verdict, { keepalived, held }: Look): void {
    this.#leftLooks = cleanUp ? this.#leftLooks + 1 : 0
    if (!cleanUp) return
    if (keepalived === 'frozen') this.#parts.say(`keepalived is frozen and holds ${held.join(', ')}: it is ended`)
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

/** What the guard is made of on a real machine. */
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
      // Only an address of ours, on the card that keepalived put it on.
      if (!addresses.includes(address)) return
      const argv = ['ip', 'address', 'del', hostPrefix(address), 'dev', card]
      execOrThrow(argv, { timeoutMs: commandMs }).then(
        () => say(`took ${address} off`),
        (error: unknown) => say(`${address} could not be taken off: ${String(error)}`),
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
    // It ended in this moment.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
