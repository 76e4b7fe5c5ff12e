import type { ServiceUse, Use } from './useShape.ts'

/** The ends of the variables' names; `URL` only where the service listens http. */
export const variableEnds = ['HOST', 'PORT', 'URL'] as const
export type VariableEnd = (typeof variableEnds)[number]

export const isServiceUse = (use: Use): use is ServiceUse => 'service' in use

export const servicesUsed = (uses: readonly Use[] | undefined): ServiceUse[] => (uses ?? []).filter(isServiceUse)

/** `SMTP` of `{ service: mail, as: smtp }`: the variables are SMTP_HOST, SMTP_PORT and SMTP_URL. */
export const prefixOf = ({ service, as }: Pick<ServiceUse, 'service' | 'as'>): string =>
  (as ?? service).toUpperCase().replaceAll('-', '_')

export const variableOf = (use: Pick<ServiceUse, 'service' | 'as'>, end: VariableEnd): string =>
  `${prefixOf(use)}_${end}`

/** Every variable that these uses may set. */
export const variablesOf = (uses: readonly Use[] | undefined): string[] =>
  servicesUsed(uses).flatMap((use) => variableEnds.map((end) => variableOf(use, end)))
