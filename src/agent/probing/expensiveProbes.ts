import type { LocalInstance } from '../localInstance.ts'

/** Share of one processor above which a command is a problem of its own. */
const mostShare = 0.05

/** Problems of commands that cost much, as text. */
export const expensiveProbes = (instances: Iterable<Pick<LocalInstance, 'id' | 'probeShare'>>): string[] =>
  [...instances].flatMap(({ id, probeShare }) =>
    probeShare === null || probeShare <= mostShare
      ? []
      : `the health command of ${id} uses ${Math.round(probeShare * 100)} % of a processor (limit: ${mostShare * 100} %): make it cheaper, or make \`health.every\` longer`,
  )
