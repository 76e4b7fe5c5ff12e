/** Which virtual addresses this machine should be ready to hold, and what the controller knows of the others. */
export interface AddressPlan {
  position: number
  addresses: string[]
  /** How often whoever holds one says so, in ms. */
  advert: number
  /** False while the machine is out of traffic: let another machine hold them. */
  eligible: boolean
  /** Of `addresses`, those that another machine is to have back: given up gently. */
  yields: string[]
  /** Of `addresses`, those that another machine was named for while both held them: given up at once. */
  refused: string[]
  /** Another machine in traffic has a ready instance: an address is better there than where none is reached. */
  othersServe: boolean
  /** The other machines and how to reach them. */
  peers: { machine: string; host: string }[]
}

export interface HeldAddress {
  address: string
  /** ISO 8601 by this machine's clock: for display. */
  since: string
}

/** Moves virtual addresses between machines. Implementations: `none`, `keepalived`, `command`; and a programmable fake. */
export interface AddressDriver {
  readonly name: string
  readonly abilities: { movesAddresses: boolean }
  /** Resolves when the plan holds here: what it takes away has been given up. */
  apply(plan: AddressPlan): Promise<void>
  /** The addresses this machine holds now. */
  held(): HeldAddress[]
  /** Why this machine does not take an address, in words. */
  withheld(): string | null
  /** Why it could take none although the plan lets it, in words: something here is broken. */
  trouble(): string | null
  /** Machines that this one reaches, both ways; looked at only while it is refused an address. */
  reaches(): string[]
  /** Called when what it holds, or why it does not, has changed. */
  onChange(listener: () => void): void
  /** The controller has just answered: what it said last still stands. */
  heard(): void
  /** What else a person should know, in words. */
  problems(): string[]
  close(): Promise<void>
}
