import { isServiceCall, prefixOf, type Call, type ServiceCall } from '../calls.ts'

/** The ends of the variables' names; `URL` only where the service listens http. */
export const variableEnds = ['HOST', 'PORT', 'URL'] as const
export type VariableEnd = (typeof variableEnds)[number]

export const servicesUsed = (uses: readonly Call[] | undefined): ServiceCall[] => (uses ?? []).filter(isServiceCall)

export const variableOf = (use: Pick<ServiceCall, 'service' | 'as'>, end: VariableEnd): string =>
  `${prefixOf(use)}_${end}`

/** Every variable that these uses may set. */
export const variablesOf = (uses: readonly Call[] | undefined): string[] =>
  servicesUsed(uses).flatMap((use) => variableEnds.map((end) => variableOf(use, end)))
