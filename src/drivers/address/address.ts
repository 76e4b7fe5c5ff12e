/**
 * The virtual addresses that this machine should be ready to hold, and the controller's knowledge of the other
 * machines.
 */
export interface AddressPlan {
  position: number
  addresses: string[]
  /** Interval in ms at which the holder of an address advertises it. */
  advert: number
  /** False while the machine is out of traffic: other machines should hold the addresses. */
  eligible: boolean
  /** Those of `addresses` that another machine should get back: this machine gives them up gently. */
  yields: string[]
  /**
   * Those of `addresses` for which another machine was named while both held them: this machine gives them up at once.
   */
  refused: string[]
  /**
   * Another machine in traffic has a ready instance: an address is better there than on a machine that reaches no
   * instance.
   */
  othersServe: boolean
  /** The other machines and their addresses. */
  peers: { machine: string; host: string }[]
}

export interface HeldAddress {
  address: string
  /** ISO 8601 by the clock of this machine, for display. */
  since: string
}

/**
 * Moves virtual addresses between machines. Implementations: `none`, `keepalived`, `command`, and a programmable fake.
 */
export interface AddressDriver {
  readonly name: string
  readonly abilities: { movesAddresses: boolean }
  /** Resolves when the plan is in force here: this machine has given up the addresses that it must not hold. */
  apply(plan: AddressPlan): Promise<void>
  /** The addresses that this machine holds now. */
  held(): HeldAddress[]
  /** The reason why this machine does not take an address, as text. */
  withheld(): string | null
  /** The problem on this machine that keeps it from taking an address although the plan allows that, as text. */
  trouble(): string | null
  /** Machines that this machine reaches in both directions; checked only while this machine is refused an address. */
  reaches(): string[]
  /** The listener is called when the held addresses, or the reason for not holding one, have changed. */
  onChange(listener: () => void): void
  /** The controller has just answered, so its last plan still applies. */
  heard(): void
  /** Other problems for a person to know, as text. */
  problems(): string[]
  close(): Promise<void>
}
