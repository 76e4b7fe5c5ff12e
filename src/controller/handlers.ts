import type { OperationName, Operations, Parsed, Result } from '../api/contract.ts'
import type { Checkup } from '../protocol/checkup.ts'
import type { TokenHolder } from '../store/tokenStore.ts'
import type { Tokens } from '../store/tokens.ts'
import type { Controller } from './controller.ts'
import type { Deciding } from './deciding.ts'
import type { FeatureRooms } from './featureRooms.ts'
import type { Callers } from './http/callers.ts'
import type { Membership } from './membership.ts'
import type { ReleaseRoom } from './releaseRoom.ts'

/** Everything that a call may use. */
export interface Rooms extends FeatureRooms {
  controller: Controller
  releases: ReleaseRoom
  tokens: Tokens
  callers: Callers
  membership: Membership
  examine: () => Promise<Checkup>
  /** Why changes are refused now, in words; `null` when they are accepted. */
  unwritable: () => string | null
}

/** The sender of a call. A joining machine is known by its token alone. */
export type Caller = TokenHolder | { role: 'joiner'; machine: null; name: string; token: string }

type Answer<O extends Operations[OperationName]> = O extends { dryRun: true }
  ? Deciding<Result<O>>
  : Result<O> | Promise<Result<O>>

/** The calls of the API by name, or some of them: each takes its parsed input. */
export type Handlers<N extends OperationName = OperationName> = {
  [Name in N]: (input: Parsed<Operations[Name]>, caller: Caller) => Answer<Operations[Name]>
}
