import type { ReportMark } from './fleetEvents.ts'

export interface AddressEvents {
  /** A machine was seen to hold a virtual address. `from`: the machine that held it before. */
  AddressTaken: { address: string; machine: string; from: string | null; why: string; mark: ReportMark }
  /** The machine was seen to hold the address no more. */
  AddressReleased: { address: string; machine: string; why: string; mark: ReportMark }
  /** Several machines hold the address: `named` keeps it, the others release it. */
  AddressContested: { address: string; named: string; refused: string[] }
  AddressSettled: { address: string; why: string }
  /** The address returns gently to its preferred machine. */
  AddressReturnStarted: { address: string; from: string; to: string }
  AddressReturnEnded: { address: string; why: string }
}

declare module './event.ts' {
  interface EventData extends AddressEvents {}
}
