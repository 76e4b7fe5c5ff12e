import type { Word } from './guardFiles.ts'

/** What the guard sees at one look. */
export interface Look {
  /** CLOCK_MONOTONIC, ms. */
  at: number
  /** Virtual addresses that this machine has on its card. */
  held: string[]
  haproxy: 'well' | 'gone' | 'silent'
  /** An instance of any service, here or on another machine; `null`: there are no services. */
  reachesAny: boolean | null
  keepalived: 'runs' | 'frozen' | 'gone'
  word: Word | null
}

/** What follows from it. */
export interface Verdict {
  /** Addresses this machine must not hold, and why; in words. */
  withheld: Map<string, string>
  /** Of those, the ones to give up gently: this machine serves well. */
  gently: Set<string>
  /** Why this machine could hold none although it may; in words. */
  trouble: string | null
  /** What keepalived left behind has to be ended and taken off by hand. */
  cleanUp: boolean
}

/** The controller's word counts as gone when it was last heard so long ago: two lost reports and a bit. */
export const wordMs = 5_000
/** Once HAProxy has failed, it must be well for so long before the machine may hold an address again. */
export const wellMs = 1_000
/** No instance reached for so long, before that counts: a reload or a restart of the last one is shorter. */
export const unreachedMs = 300
/** keepalived that is not there for so long is not one that is being started anew. */
export const goneMs = 2_000

/**
 * Judges looks, one after the other. HAProxy that does not answer takes every address off. One that reaches no instance does
 * so only while the controller, heard lately, says that another machine reaches one: an address that nobody serves well is
 * still held by somebody. Who is refused is so only while the controller is heard: without it each machine may hold.
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
    // What a person took out of traffic stays out, controller or not.
    if (!word.eligible) return ['this machine is out of traffic', true]
    if (heard && word.refused.includes(address)) return ['two machines held it, and the other was named', false]
    if (heard && word.yields.includes(address)) return ['it goes back to the machine it prefers', true]
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
    return word.othersServe ? 'HAProxy reaches no instance, and another machine does' : null
  }
}
