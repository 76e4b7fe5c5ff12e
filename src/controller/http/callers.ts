import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { CallerRole } from '../../api/operation.ts'
import { certificateFacts } from '../../identity/certificate.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { TokenHolder } from '../../store/tokenStore.ts'
import type { Tokens } from '../../store/tokens.ts'
import type { Controller } from '../controller.ts'

/** The parts of a request that identify its sender. */
export interface Call {
  url: string
  headers: IncomingMessage['headers']
  raw: Pick<IncomingMessage, 'socket'>
}

/** Where an answer goes: a response, or a connection that was handed over. */
interface Answer {
  destroy(): unknown
  on(event: 'close', listener: () => void): unknown
}

/** An open-ended answer, with the role that its reader must have. */
interface Open {
  request: Call
  role: CallerRole
  answer: Answer
}

/** Identifies callers: users by bearer token, machines by certificate (on a laptop also by token). */
export class Callers {
  #tokens: Tokens
  #controller: Controller
  #open = new Set<Open>()

  constructor(tokens: Tokens, controller: Controller) {
    this.#tokens = tokens
    this.#controller = controller
  }

  /** Throws unless the sender of the request may make calls of `role`. */
  identify(request: Call, role: CallerRole): TokenHolder {
    const token = bearer(request)
    const identity = token ? this.#tokens.identify(token) : this.machineOf(request.raw.socket)
    const subject = request.url.split('?')[0] ?? ''
    if (!identity) throw token === undefined ? noToken(request, subject) : unknownToken(subject)
    if (!allowed[role].includes(identity.role)) {
      throw new OperatorError(
        'E_FORBIDDEN',
        `the token "${identity.name}" (${identity.role}) does not permit this call`,
        {
          subject,
          next: 'ask for an operator token: tandem controller token create --role operator --name NAME',
        },
      )
    }
    if (token && identity.role === 'agent') this.#checkMember(identity)
    return identity
  }

  /** Throws as `identify` does. Otherwise registers the answer until it ends, so that `cutRefused` can cut it. */
  watch(request: Call, role: CallerRole, answer: Answer): TokenHolder {
    const identity = this.identify(request, role)
    const open = { request, role, answer }
    this.#open.add(open)
    answer.on('close', () => this.#open.delete(open))
    return identity
  }

  /**
   * Cuts the answers of callers that have lost their access. Called when a token is revoked and when the cluster
   * changes.
   */
  cutRefused(): void {
    for (const { request, role, answer } of this.#open) if (!this.#may(request, role)) answer.destroy()
  }

  #may(request: Call, role: CallerRole): boolean {
    try {
      this.identify(request, role)
      return true
    } catch {
      return false
    }
  }

  /** A machine's token is valid as long as the cluster file names the machine; without a cluster file, always. */
  #checkMember({ name, machine }: TokenHolder): void {
    const { cluster } = this.#controller.state
    if (cluster === null || (machine !== null && Object.hasOwn(cluster.machines, machine))) return
    const message = `the token "${name}" speaks for machine ${machine}, which does not belong to the cluster`
    throw new OperatorError('E_FORBIDDEN', message, {
      subject: machine ?? name,
      next: 'add the machine to cluster.yaml, then: tandem cluster apply cluster.yaml',
    })
  }

  /**
   * The machine whose certificate was shown, if it belongs to the cluster and was not removed after the certificate was
   * made.
   */
  machineOf(socket: unknown): TokenHolder | null {
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

/** The token as sent, in any format. */
export const bearer = (request: Call): string | undefined =>
  /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]

const tokenNext = 'tandem context list   shows which token belongs to which controller'

function noToken({ headers }: Call, subject: string): OperatorError {
  const isOther = headers.authorization !== undefined
  const message = isOther
    ? 'the Authorization field holds no bearer token'
    : 'a bearer token is needed, and none was sent'
  return new OperatorError('E_UNAUTHORIZED', message, { subject, next: tokenNext })
}

const unknownToken = (subject: string): OperatorError =>
  new OperatorError('E_TOKEN_UNKNOWN', 'this controller does not know the token, or the token was revoked', {
    subject,
    next: tokenNext,
  })

const allowed: Record<CallerRole, TokenHolder['role'][]> = {
  reader: ['reader', 'operator'],
  operator: ['operator'],
  agent: ['agent'],
  agentOrOperator: ['agent', 'operator'],
  joiner: [],
}

/** Throws unless the caller is the agent of `machine`: an agent speaks only for its own machine. */
export function ownMachine(identity: { machine: string | null; name: string }, machine: string): void {
  if (identity.machine === machine) return
  throw new OperatorError('E_FORBIDDEN', `the token "${identity.name}" speaks for machine ${identity.machine}`, {
    subject: machine,
    next: 'start the agent with the machine name of its token, or create a token for this machine',
  })
}
