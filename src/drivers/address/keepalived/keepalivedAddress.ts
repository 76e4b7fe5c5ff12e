import { lookup } from 'node:dns/promises'
import { watch, type FSWatcher } from 'node:fs'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { AddressDriver, AddressPlan, HeldAddress } from '../address.ts'
import type { AddressHost } from './addressHost.ts'
import { bootMs, readState, writeWhole, type GuardState, type Word } from './guardFiles.ts'
import type { KeepalivedFiles } from './keepalivedFiles.ts'
import { keepalivedSettings } from './keepalivedSettings.ts'

export interface KeepalivedOptions {
  cluster: string
  machine: string
  /** The address or host name by which the other machines reach this machine. */
  own: string
  files: KeepalivedFiles
  host: AddressHost
  haproxy: string | null
  failed: (error: unknown) => void
}

/** The guard writes at least every 2 s. If it has not written for this long, it does not run. */
const guardSilentMs = 4_000
/**
 * Time within which addresses that a plan removes must be gone: the guard looks each 100 ms and waits 700 ms at most.
 */
const giveUpMs = 5_000
const lookMs = 20

/** Virtual addresses with keepalived, supervised by the guard; both run without the agent. */
export function createKeepalivedAddress(options: KeepalivedOptions): AddressDriver {
  return new Keepalived(options)
}

class Keepalived implements AddressDriver {
  readonly name = 'keepalived'
  readonly abilities = { movesAddresses: true }
  #options: KeepalivedOptions
  #plan: AddressPlan | null = null
  #installed = ''
  /** Long ago, because the controller's message on disk is from an earlier run and does not count. */
  #heardAt = Number.MIN_SAFE_INTEGER
  #state: GuardState | null = null
  #watcher: FSWatcher | null = null
  /** The guard's report could not be followed, and this was reported. */
  #isDeaf = false
  #listeners: (() => void)[] = []
  #closed = false

  constructor(options: KeepalivedOptions) {
    this.#options = options
    this.#state = readState(options.files.state)
  }

  async apply(plan: AddressPlan): Promise<void> {
    if (this.#closed) throw new Error('the address driver is closed')
    this.#plan = plan
    if (plan.addresses.length === 0) return this.#remove()
    await this.#install(plan)
    this.#writeWord()
    await this.#gone(plan)
  }

  held(): HeldAddress[] {
    const addresses = this.#plan?.addresses ?? []
    const here = addressesHere()
    const since = new Map(this.#state?.held.map((one) => [one.address, one.since]))
    return addresses
      .filter((address) => here.has(address))
      .map((address) => ({ address, since: since.get(address) ?? new Date().toISOString() }))
  }

  withheld(): string | null {
    return this.#plan === null || this.#plan.addresses.length === 0 ? null : (this.#state?.withheld ?? null)
  }

  trouble(): string | null {
    return this.#plan === null || this.#plan.addresses.length === 0 ? null : (this.#state?.trouble ?? null)
  }

  reaches(): string[] {
    return this.#state?.reaches ?? []
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  heard(): void {
    this.#heardAt = bootMs()
    if (!this.#plan || this.#plan.addresses.length === 0 || this.#closed) return
    this.#writeWord()
    if (this.#installed !== '') this.#watch()
  }

  problems(): string[] {
    if (this.#installed === '' || this.#closed) return []
    const silent = this.#state === null || bootMs() - this.#state.at > guardSilentMs
    if (!silent) return []
    return [
      'tandem-guard.service does not run, so the virtual addresses stay on this machine even if it does not serve; look at: journalctl -u tandem-guard',
    ]
  }

  /** keepalived and the guard keep running: addresses outlive the agent, as services do. */
  close(): Promise<void> {
    this.#closed = true
    this.#watcher?.close()
    return Promise.resolve()
  }

  async #install({ addresses, advert, peers }: AddressPlan): Promise<void> {
    const { cluster, machine, own, host, haproxy } = this.#options
    const others = await Promise.all(
      peers.map(async (peer) => ({ machine: peer.machine, address: await resolved(peer.host) })),
    )
    const situation = { cluster, machine, own: await resolved(own), peers: others, addresses, advert }
    const settings = keepalivedSettings(situation, networkInterfaces())
    const text = JSON.stringify(settings)
    if (this.#installed === text) return
    await host.install(settings, haproxy)
    this.#installed = text
    this.#watch()
  }

  async #remove(): Promise<void> {
    this.#watcher?.close()
    this.#watcher = null
    await this.#options.host.remove()
    this.#installed = ''
    this.#state = null
  }

  #writeWord(): void {
    const { eligible = true, yields = [], refused = [], othersServe = false } = this.#plan ?? {}
    const word: Word = { heardAt: this.#heardAt, eligible, yields, refused, othersServe }
    writeWhole(this.#options.files.word, word)
  }

  async #gone({ addresses, eligible, yields, refused }: AddressPlan): Promise<void> {
    const given = eligible ? [...yields, ...refused] : addresses
    const deadline = bootMs() + giveUpMs
    while (this.held().some(({ address }) => given.includes(address))) {
      if (this.#closed) return
      if (bootMs() > deadline) {
        throw new Error(
          `this machine did not give up ${given.join(', ')} within ${giveUpMs / 1000} s; look at: journalctl -u tandem-guard`,
        )
      }
      await pause(lookMs)
    }
  }

  /**
   * Follows the report of the guard. If that fails, the report is read whenever the controller is heard, and following
   * is tried again then.
   */
  #watch(): void {
    if (this.#watcher || this.#closed) return
    const { files } = this.#options
    this.#read()
    try {
      this.#watcher = watch(files.run, (_, name) => {
        if (name === basename(files.state)) this.#read()
      })
      this.#watcher.on('error', (error) => this.#unwatched(error))
      this.#isDeaf = false
    } catch (error) {
      this.#unwatched(error)
    }
  }

  #unwatched(error: unknown): void {
    this.#watcher?.close()
    this.#watcher = null
    if (!this.#isDeaf) this.#options.failed(error)
    this.#isDeaf = true
  }

  #read(): void {
    const before = this.#state
    this.#state = readState(this.#options.files.state) ?? before
    const facts = (state: GuardState | null): string =>
      JSON.stringify([state?.held, state?.withheld, state?.trouble, state?.reaches])
    if (facts(before) !== facts(this.#state)) for (const listener of this.#listeners) listener()
  }
}

const addressesHere = (): Set<string> =>
  new Set(Object.values(networkInterfaces()).flatMap((infos) => (infos ?? []).map(({ address }) => address)))

/** keepalived gets addresses, not names. */
async function resolved(host: string): Promise<string> {
  if (isIP(host) !== 0) return host
  try {
    return (await lookup(host)).address
  } catch (cause) {
    throw new Error(`the name ${host} cannot be resolved, so keepalived cannot reach that machine`, { cause })
  }
}
