import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import type { CallerRole } from '../../api/contract.ts'
import { certificateFacts } from '../../identity/certificate.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Identity, Tokens } from '../../store/tokens.ts'
import type { Controller } from '../controller.ts'

/** Who calls: people by bearer token, machines by certificate (on a laptop by token too). */
export class Callers {
  #tokens: Tokens
  #controller: Controller

  constructor(tokens: Tokens, controller: Controller) {
    this.#tokens = tokens
    this.#controller = controller
  }

  /** Throws unless that may be called by them. */
  identify(request: FastifyRequest, role: CallerRole): Identity {
    const token = bearer(request)
    const identity = token ? this.#tokens.identify(token) : this.machineOf(request.raw.socket)
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

  /** The machine whose certificate was shown, as long as it is of the cluster and was not removed after it was made. */
  machineOf(socket: unknown): Identity | null {
    if (!(socket instanceof TLSSocket) || !socket.authorized) return null
    const { raw } = socket.getPeerCertificate()
    if (!raw) return null
    const { role, name, madeAt } = certificateFacts(raw)
    const { cluster, removedMachines } = this.#controller.state
    const isMember = cluster !== null && Object.hasOwn(cluster.machines, name)
    if (role !== 'machine' || !isMember || madeAt <= (removedMachines[name] ?? 0)) return null
    return { role: 'agent', machine: name, name: `machine ${name}` }
  }
}

export const bearer = (request: FastifyRequest): string | undefined =>
  /^Bearer (\S{10,200})$/.exec(request.headers.authorization ?? '')?.[1]

const allowed: Record<CallerRole, Identity['role'][]> = {
  reader: ['reader', 'operator'],
  operator: ['operator'],
  agent: ['agent'],
  agentOrOperator: ['agent', 'operator'],
  joiner: [],
}

/** An agent speaks only for its own machine. */
export function ownMachine(identity: { machine: string | null; name: string }, machine: string): void {
  if (identity.machine === machine) return
  throw new OperatorError('E_FORBIDDEN', `the token "${identity.name}" speaks for machine ${identity.machine}`, {
    subject: machine,
    next: 'start the agent with its own machine name, or make a token for this one',
  })
}
