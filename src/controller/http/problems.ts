import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { basePath } from '../../api/contract.ts'
import { problemMediaType, toProblem } from '../../api/problem.ts'
import { OperatorError } from '../../lib/operatorError.ts'

export function sendProblem(error: OperatorError, reply: FastifyReply): FastifyReply {
  // The route's own serialiser is for its good answer.
  return reply.status(error.httpStatus).type(problemMediaType).serializer(JSON.stringify).send(toProblem(error))
}

export function notFound(request: FastifyRequest): OperatorError {
  const subject = request.url.split('?')[0] ?? ''
  return new OperatorError('E_NOT_FOUND', `there is no ${request.method} ${subject}`, {
    subject,
    next: `${basePath}/openapi.json describes what there is`,
  })
}

/** Whatever a handler threw, as something to tell; a bug is logged whole and told in short. */
export function asOperatorError(error: unknown, request: FastifyRequest, logger: Logger): OperatorError {
  if (error instanceof OperatorError) return error
  const subject = request.url.split('?')[0] ?? ''
  const { validation, statusCode, message } = error as { validation?: unknown; statusCode?: number; message: string }
  if (statusCode === 413) return new OperatorError('E_TOO_LARGE', message, { subject })
  if (validation || (statusCode !== undefined && statusCode < 500)) {
    return new OperatorError('E_USAGE', message, { subject, next: `see ${basePath}/openapi.json` })
  }
  logger.error({ err: error, url: subject }, 'a request failed')
  return new OperatorError('E_BUG', message, { subject, next: "the controller's log has the details", cause: error })
}
