import type { FastifyRequest } from 'fastify'
import { OperatorError } from '../../lib/operatorError.ts'

/** The request's body as a stream. Only bodies of this content type are left unparsed (`buildServer`). */
export function bytesOf(request: FastifyRequest, contentType: string): AsyncIterable<Uint8Array> {
  if (request.headers['content-type'] === contentType) return request.body as AsyncIterable<Uint8Array>
  throw new OperatorError('E_USAGE', `the body must be ${contentType}`, { subject: request.url })
}
