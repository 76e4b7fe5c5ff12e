import type { StandingProblem } from '../api/overview.ts'
import type { Status } from '../api/views.ts'
import { unheld } from './addresses.ts'
import { whyLeftOut } from './maintenance.ts'

/** Here a feature hangs in its problems, */
export const featureProblems = ({ addresses }: Status): StandingProblem[] => addresses.flatMap(unheld)

/** and the reason why a machine is out of traffic, with the next steps; `null`: no feature knows one. */
export const whyOutOfTraffic = (status: Status, machine: string): StandingProblem | null => whyLeftOut(status, machine)
