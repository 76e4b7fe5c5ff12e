import type { OperationName, Operations, Parsed, Result } from '../api/contract.ts'
import type { Checkup } from '../protocol/checkup.ts'
import type { Sessions } from '../store/sessions.ts'
import type { Tokens } from '../store/tokens.ts'
import type { Controller } from './controller.ts'
import type { Deciding } from './deciding.ts'
import type { FeatureRooms } from './features.ts'
import type { Callers, KnownCaller } from './http/callers.ts'
import type { Membership } from './membership.ts'
import type { LiveOverview } from './overview/liveOverview.ts'
import type { ReleaseRoom } from './releaseRoom.ts'

/** Everything that a call may use. */
export interface Rooms extends FeatureRooms {
  controller: Controller
  releases: ReleaseRoom
  overview: LiveOverview
  tokens: Tokens
  sessions: Sessions
  callers: Callers
  membership: Membership
  examine: () => Promise<Checkup>
  /** Why changes are refused now, in words; `null` when they are accepted. */
  unwritable: () => string | null
  /** Why a restored controller changes nothing yet, in words; `null` when it does. */
  waiting: () => string | null
}

/** A sender that is known by nothing but a secret that works once: a join token, or that of a link. */
interface Newcomer {
  role: 'joiner' | 'visitor'
  machine: null
  name: string
  secret: string
}

/** The sender of a call. */
export type Caller = KnownCaller | Newcomer

type Answer<O extends Operations[OperationName]> = O extends { dryRun: true }
  ? Deciding<Result<O>>
  : Result<O> | Promise<Result<O>>

/** The calls of the API by name, or some of them: each takes its parsed input. `isGone`: nobody waits for the answer any more. */
export type Handlers<N extends OperationName = OperationName> = {
  [Name in N]: (input: Parsed<Operations[Name]>, caller: Caller, isGone: () => boolean) => Answer<Operations[Name]>
}
