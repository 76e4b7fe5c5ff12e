import type { FastifyRequest } from 'fastify'
import type { CallerRole } from '../../api/contract.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Identity, Tokens } from '../../store/tokens.ts'

/** Who calls, by bearer token; throws unless that may be called by them. */
export function identify(request: FastifyRequest, tokens: Tokens, role: CallerRole): Identity {
  const token = /^Bearer (\S{10,200})$/.exec(request.headers.authorization ?? '')?.[1]
  const identity = token ? tokens.identify(token) : null
  const subject = request.url.split('?')[0] ?? ''
  if (!identity) {
    throw new OperatorError('E_UNAUTHORIZED', token ? 'the token is not known here' : 'a bearer token is needed', {
      subject,
      next: 'tandem context list   shows which token goes with which controller',
    })
  }
  if (!allowed[role].includes(identity.role)) {
    throw new OperatorError('E_FORBIDDEN', `the token "${identity.name}" (${identity.role}) may not do this`, {
      subject,
      next: 'ask for an operator token: tandem controller token create --role operator --name NAME',
    })
  }
  return identity
}

const allowed: Record<CallerRole, Identity['role'][]> = {
  reader: ['reader', 'operator'],
  operator: ['operator'],
  agent: ['agent'],
  agentOrOperator: ['agent', 'operator'],
}

/** An agent speaks only for its own machine. */
export function ownMachine(identity: Identity, machine: string): void {
  if (identity.machine === machine) return
  throw new OperatorError('E_FORBIDDEN', `the token "${identity.name}" speaks for machine ${identity.machine}`, {
    subject: machine,
    next: 'start the agent with its own machine name, or make a token for this one',
  })
}
