import type { Status } from '../api/views.ts'
import { unsaidInWords, unsaidNext } from '../protocol/declaredRoutes.ts'
import { problem, type StandingProblem } from '../api/standingProblem.ts'

/** Ports that are public although the definition does not say so. */
export const unsaidProblems = ({ service, access = [] }: Status['services'][number]): StandingProblem[] =>
  access.flatMap(({ port, unsaid }) => {
    if (!unsaid || port === null) return []
    const next = [{ command: null, does: unsaidNext }]
    const text = unsaidInWords(service, port)
    return [problem({ tone: 'warn', word: 'public', subject: service, text, next, service })]
  })
