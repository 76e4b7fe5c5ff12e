import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { basePath } from '../../api/operation.ts'
import { type CallerRole } from '../../api/operation.ts'
import { unknownField } from '../../api/unknownFields.ts'
import { nearest } from '../../definitions/suggest.ts'
import { OperatorError } from '../../lib/operatorError.ts'

interface Call {
  role: CallerRole
  query?: z.ZodType
  body?: z.ZodType
}

/** Agents of another version may send fields that this version does not know. */
export const isPeoples = (role: CallerRole): boolean => role === 'reader' || role === 'operator'

/** Throws `E_USAGE` for a field that a user's call does not have. */
export function refuseUnknown({ role, query, body }: Call, request: FastifyRequest): void {
  if (!isPeoples(role)) return
  for (const [place, schema, value] of [
    ['query', query, request.query] as const,
    ['body', body, request.body] as const,
  ]) {
    const found = schema ? unknownField(schema, value) : unknownOf(value)
    if (!found) continue
    const { path, name, known } = found
    const meant = nearest(name, known)
    const where = path === '' ? `the ${place}` : `${path} of the ${place}`
    throw new OperatorError('E_USAGE', `${where} has no field "${name}"`, {
      subject: path === '' ? name : `${path}.${name}`,
      next: meant
        ? `did you mean "${meant}"?`
        : `it has: ${known.join(', ') || 'none'}; ${basePath}/openapi.json describes it`,
    })
  }
}

/** The call accepts no fields. */
function unknownOf(value: unknown): ReturnType<typeof unknownField> {
  const [name] = typeof value === 'object' && value !== null ? Object.keys(value) : []
  return name === undefined ? null : { path: '', name, known: [] }
}
