import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { basePath } from '../../api/operation.ts'
import { problemMediaType, toProblem } from '../../api/problem.ts'
import { OperatorError } from '../../lib/operatorError.ts'

export function sendProblem(error: OperatorError, reply: FastifyReply): FastifyReply {
  if (error.httpStatus === 401) void reply.header('www-authenticate', challengeOf(error))
  // The route's own serializer is only for its success response.
  return reply.status(error.httpStatus).type(problemMediaType).serializer(JSON.stringify).send(toProblem(error))
}

/** RFC 6750 section 3: the challenge distinguishes an invalid token from a missing one. */
const challengeOf = ({ code }: OperatorError): string =>
  code === 'E_TOKEN_UNKNOWN' ? 'Bearer realm="tandem", error="invalid_token"' : 'Bearer realm="tandem"'

/** Turns any thrown value into an error to send. A bug is logged in full and reported in short. */
export function asOperatorError(
  error: unknown,
  request: Pick<FastifyRequest, 'url' | 'raw'>,
  logger: Logger,
): OperatorError {
  if (error instanceof OperatorError) return error
  const subject = request.url.split('?')[0] ?? ''
  const { validation, statusCode, message, code } = error as {
    validation?: unknown
    statusCode?: number
    message: string
    code?: string
  }
  if (statusCode === 413) return new OperatorError('E_TOO_LARGE', message, { subject })
  if (validation || (statusCode !== undefined && statusCode < 500)) {
    return new OperatorError('E_USAGE', message, { subject, next: `see ${basePath}/openapi.json` })
  }
  // Nobody reads the answer. A killed client and a lost network are no bugs.
  if (code === 'ECONNRESET' && request.raw.readableAborted)
    return new OperatorError('E_USAGE', 'the request ended before its body did', { subject })
  logger.error({ err: error, url: subject }, 'a request failed')
  return new OperatorError('E_BUG', message, { subject, next: "the controller's log has the details", cause: error })
}

/**
 * Answers bytes that are not HTTP, or a head that is too large. The answer is written by hand because there is no
 * request.
 */
export function refuseGarbage(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW'
  const code = isTooLarge ? 'E_TOO_LARGE' : 'E_USAGE'
  const about = { next: `see ${basePath}/openapi.json` }
  const problem = toProblem(new OperatorError(code, `this is not a valid HTTP request: ${error.message}`, about))
  const body = JSON.stringify(problem)
  const status = isTooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'
  const head = `HTTP/1.1 ${status}\r\ncontent-type: ${problemMediaType}\r\ncontent-length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`, () => socket.destroy())
}
