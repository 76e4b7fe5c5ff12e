/** Who may connect to what on one machine, as the controller wants it. */
export interface Guard {
  mode: 'observe' | 'enforce'
  users: readonly string[]
  routes: readonly {
    address: string
    port: number
    service: string
    /** The services that may connect to it, besides itself. */
    callers: readonly string[]
  }[]
  /** The services that may connect to the metadata address of the machine. Absent: all. */
  metadata?: readonly string[]
}

/** Connections from a service, or `user NAME`, to a service, since the table was made. */
export interface Call {
  from: string
  to: string
  /** A port at which it was refused, else one at which it was seen. */
  port: number
  /** In the mode `observe` those that would be refused count in both. */
  seen: number
  refused: number
}

export interface Seen {
  /** True if the table was missing, and is there again. */
  isRestored: boolean
  calls: Call[]
  /** In words: a program answers in the place of a service. */
  problems: string[]
}

/** The firewall of one machine. Implementations: nftables, directly or by the privileged helper, and none. */
export interface FirewallDriver {
  /** Holds these rules from now on, also after a reboot; `null`: none. */
  hold(guard: Guard | null): Promise<void>
  /** Makes the table again if somebody has removed it, and reads what it has counted; `null`: there are no rules. */
  look(): Promise<Seen | null>
  /** Whether the table is there. It costs next to nothing, and may be false although the table is there. */
  seemsThere(): Promise<boolean>
  /** Why this machine can hold no rules, in words; `null`: it can. */
  readonly why: string | null
}

/** Holds nothing; `why` is as above. */
export const noFirewall = (why: string | null): FirewallDriver => ({
  hold: async () => {},
  look: async () => null,
  seemsThere: async () => true,
  why,
})
