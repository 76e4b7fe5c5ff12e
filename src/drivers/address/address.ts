/** Which virtual addresses this machine should be ready to hold. */
export interface AddressPlan {
  position: number
  addresses: string[]
  /** False while the machine is out of traffic: let another machine hold them. */
  eligible: boolean
}

/** Moves a virtual address between machines. Implementations: `none`, later `keepalived`; and a programmable fake. */
export interface AddressDriver {
  readonly name: string
  readonly abilities: { movesAddresses: boolean }
  apply(plan: AddressPlan): Promise<void>
  /** The addresses this machine holds now. */
  held(): string[]
  close(): Promise<void>
}
