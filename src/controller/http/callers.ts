import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { CallerRole } from '../../api/contract.ts'
import { certificateFacts } from '../../identity/certificate.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Identity, Tokens } from '../../store/tokens.ts'
import type { Controller } from '../controller.ts'

/** Of a request, what says who sent it. */
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

/** An answer without an end, and who may have it. */
interface Open {
  request: Call
  role: CallerRole
  answer: Answer
}

/** Who calls: people by bearer token, machines by certificate (on a laptop by token too). */
export class Callers {
  #tokens: Tokens
  #controller: Controller
  #open = new Set<Open>()

  constructor(tokens: Tokens, controller: Controller) {
    this.#tokens = tokens
    this.#controller = controller
  }

  /** Throws unless that may be called by them. */
  identify(request: Call, role: CallerRole): Identity {
    const token = bearer(request)
    const identity = token ? this.#tokens.identify(token) : this.machineOf(request.raw.socket)
    const subject = request.url.split('?')[0] ?? ''
    if (!identity) throw token === undefined ? noToken(request, subject) : unknownToken(subject)
    if (!allowed[role].includes(identity.role)) {
      throw new OperatorError('E_FORBIDDEN', `the token "${identity.name}" (${identity.role}) may not do this`, {
        subject,
        next: 'ask for an operator token: tandem controller token create --role operator --name NAME',
      })
    }
    if (token && identity.role === 'agent') this.#checkMember(identity)
    return identity
  }

  /** Throws as `identify` does; else the answer is watched until it ends: see `cutRefused`. */
  watch(request: Call, role: CallerRole, answer: Answer): Identity {
    const identity = this.identify(request, role)
    const open = { request, role, answer }
    this.#open.add(open)
    answer.on('close', () => this.#open.delete(open))
    return identity
  }

  /** Cuts the answers to those who may not ask any more; called when a token is revoked, and when the cluster changes. */
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

  /** A machine's token is worth something as long as the cluster file names the machine; where there is no file, always. */
  #checkMember({ name, machine }: Identity): void {
    const { cluster } = this.#controller.state
    if (cluster === null || (machine !== null && Object.hasOwn(cluster.machines, machine))) return
    const message = `the token "${name}" speaks for machine ${machine}, which is not of the cluster`
    throw new OperatorError('E_FORBIDDEN', message, {
      subject: machine ?? name,
      next: 'write it into cluster.yaml, then: tandem cluster apply cluster.yaml',
    })
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

/** As sent, whatever it looks like. */
export const bearer = (request: Call): string | undefined =>
  /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]

const tokenNext = 'tandem context list   shows which token goes with which controller'

function noToken({ headers }: Call, subject: string): OperatorError {
  const isOther = headers.authorization !== undefined
  const message = isOther
    ? 'the Authorization field holds no bearer token'
    : 'a bearer token is needed, and none was sent'
  return new OperatorError('E_UNAUTHORIZED', message, { subject, next: tokenNext })
}

const unknownToken = (subject: string): OperatorError =>
  new OperatorError('E_TOKEN_UNKNOWN', 'the token is not known here, or was revoked', { subject, next: tokenNext })

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
