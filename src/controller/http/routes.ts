import type { FastifyReply, FastifyRequest } from 'fastify'
import { basePath } from '../../api/operation.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { sendProblem } from './problems.ts'

/** The known paths and their methods, to distinguish a wrong method from a wrong path. */
export class Routes {
  #methods = new Map<string, { pattern: RegExp; methods: Set<string> }>()

  add(method: string | string[], path: string): void {
    const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`)
    const known = this.#methods.get(path) ?? { pattern, methods: new Set() }
    for (const one of [method].flat()) known.methods.add(one)
    this.#methods.set(path, known)
  }

  /** Answers a request that no route accepts. */
  refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const subject = request.url.split('?')[0] ?? ''
    const found = [...this.#methods.values()].filter(({ pattern }) => pattern.test(subject))
    const next = `${basePath}/openapi.json lists all paths`
    if (found.length === 0) {
      return sendProblem(new OperatorError('E_NOT_FOUND', `there is no ${subject}`, { subject, next }), reply)
    }
    // RFC 9110 section 15.5.6.
    const allowed = [...new Set(found.flatMap(({ methods }) => [...methods]))].sort().join(', ')
    const message = `${subject} does not accept ${request.method}, only ${allowed}`
    return sendProblem(new OperatorError('E_METHOD', message, { subject, next }), reply.header('allow', allowed))
  }
}
