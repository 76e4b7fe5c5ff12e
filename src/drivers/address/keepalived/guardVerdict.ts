import type { Word } from './guardFiles.ts'

/** The observations of the guard at one look. */
export interface Look {
  /** CLOCK_MONOTONIC, ms. */
  at: number
  /** Virtual addresses that this machine has on its card. */
  held: string[]
  haproxy: 'well' | 'gone' | 'silent'
  /** Whether an instance of any service, here or on another machine, is reached; `null`: there are no services. */
  reachesAny: boolean | null
  keepalived: 'runs' | 'frozen' | 'gone'
  word: Word | null
}

/** The decision that follows from a look. */
export interface Verdict {
  /** Addresses that this machine must not hold, with the reasons as text. */
  withheld: Map<string, string>
  /** Those of `withheld` to give up gently: this machine is healthy. */
  gently: Set<string>
  /** The problem that keeps this machine from holding an address although it may, as text. */
  trouble: string | null
  /** The guard must kill keepalived and remove the addresses that it left. */
  cleanUp: boolean
}

/** The last message of the controller expires after this time: two lost reports and some margin. */
export const wordMs = 5_000
/** After a failure, HAProxy must be healthy for this long before the machine may hold an address again. */
export const wellMs = 1_000
/** Reaching no instance counts only after this time: a reload, or a restart of the last instance, is shorter. */
export const unreachedMs = 300
/** keepalived that is gone for this long is not just being restarted. */
export const goneMs = 2_000

/**
 * Judges looks, one after the other. If HAProxy does not answer, all addresses are withheld. If HAProxy reaches no
 * instance, they are withheld only while the controller, heard recently, reports that another machine reaches one: an
 * address that no machine serves properly should still have a holder. A refusal applies only while the controller is
 * heard: without the controller every machine may hold an address.
 */
export class GuardVerdict {
  #ill: { since: number; why: string } | null = null
  #unreachedSince: number | null = null
  #goneSince: number | null = null

  judge(addresses: readonly string[], look: Look): Verdict {
    const ill = this.#illness(look)
    const alone = ill ?? this.#unreached(look)
    const heard = look.word !== null && look.at - look.word.heardAt <= wordMs
    const withheld = new Map<string, string>()
    const gently = new Set<string>()
    for (const address of addresses) {
      const [why, isGentle] = this.#why(address, alone, look.word, heard)
      if (why === null) continue
      withheld.set(address, why)
      if (isGentle) gently.add(address)
    }
    const trouble = alone ?? this.#absence(look)
    return { withheld, gently, trouble, cleanUp: look.keepalived !== 'runs' && look.held.length > 0 }
  }

  #absence({ keepalived, at }: Look): string | null {
    if (keepalived !== 'gone') this.#goneSince = null
    else this.#goneSince ??= at
    return this.#goneSince !== null && at - this.#goneSince >= goneMs ? 'keepalived does not run' : null
  }

  #why(address: string, ill: string | null, word: Word | null, heard: boolean): [string | null, boolean] {
    if (ill !== null) return [ill, false]
    if (!word) return [null, false]
    // A machine that a person took out of traffic stays out, with or without the controller.
    if (!word.eligible) return ['this machine is out of traffic', true]
    if (heard && word.refused.includes(address))
      return ['two machines held the address, and the controller chose the other machine', false]
    if (heard && word.yields.includes(address)) return ['the address goes back to the machine that it prefers', true]
    return [null, false]
  }

  #illness({ haproxy, at }: Look): string | null {
    if (haproxy === 'well') {
      if (this.#ill && at - this.#ill.since >= wellMs) this.#ill = null
    } else this.#ill = { since: at, why: haproxy === 'gone' ? 'HAProxy does not run' : 'HAProxy does not answer' }
    return this.#ill?.why ?? null
  }

  #unreached({ at, reachesAny, word }: Look): string | null {
    if (reachesAny !== false) this.#unreachedSince = null
    else this.#unreachedSince ??= at
    const heard = word !== null && at - word.heardAt <= wordMs
    if (this.#unreachedSince === null || at - this.#unreachedSince < unreachedMs || !heard) return null
    return word.othersServe ? 'HAProxy reaches no instance, but another machine does' : null
  }
}
