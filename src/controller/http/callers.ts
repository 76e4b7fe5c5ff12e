import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { CallerRole } from '../../api/operation.ts'
import { machineCaller } from '../../events/event.ts'
import { certificateFacts } from '../../identity/certificate.ts'
import { sha256 } from '../../lib/hash.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { isSessionKey, type Sessions } from '../../store/sessions.ts'
import type { TokenHolder } from '../../store/tokenStore.ts'
import type { Tokens } from '../../store/tokens.ts'
import type { Controller } from '../controller.ts'
import { refuseForeignSite } from '../page/pageHost.ts'

/** The parts of a request that identify its sender. */
export interface Call {
  url: string
  headers: IncomingMessage['headers']
  raw: Pick<IncomingMessage, 'socket'>
}

/** A caller that is known, and by which secret. */
export interface KnownCaller extends TokenHolder {
  /** SHA-256 of the caller's token, or of the token of the caller's session; `null`: it showed a certificate. */
  token: string | null
  /** The browser's session; the end in milliseconds since 1970. */
  session: { key: string; expiresAt: number } | null
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

/**
 * Identifies callers: users by bearer token, browsers by the key of their session, machines by certificate (on a laptop
 * also by token).
 */
export class Callers {
  #tokens: Tokens
  #sessions: Sessions
  #controller: Controller
  #open = new Set<Open>()

  constructor(tokens: Tokens, sessions: Sessions, controller: Controller) {
    this.#tokens = tokens
    this.#sessions = sessions
    this.#controller = controller
  }

  /** Throws unless the sender of the request may make calls of `role`. */
  identify(request: Call, role: CallerRole): KnownCaller {
    const token = bearer(request)
    const subject = request.url.split('?')[0] ?? ''
    const identity = this.#known(request, token)
    if (!identity) throw refusalOf(request, token, subject)
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
    if (token !== undefined && identity.role === 'agent') this.#checkMember(identity)
    return identity
  }

  #known(request: Call, token: string | undefined): KnownCaller | null {
    if (token === undefined) {
      const machine = this.machineOf(request.raw.socket)
      return machine && { ...machine, token: null, session: null }
    }
    if (isSessionKey(token)) {
      refuseForeignSite(request.headers)
      const found = this.#sessions.identify(token, this.#controller.now())
      if (found === null) return null
      const { expiresAt, ...holder } = found
      return { ...holder, session: { key: token, expiresAt } }
    }
    const holder = this.#tokens.identify(token)
    return holder && { ...holder, token: sha256(token), session: null }
  }

  /** Throws unless the request carries a link that works; returns the secret of the link. */
  mayVisit(request: Call): string {
    refuseForeignSite(request.headers)
    const link = bearer(request) ?? ''
    const why = this.#sessions.whyNot(link, this.#controller.now())
    if (why === null) return link
    throw new OperatorError('E_LINK_REFUSED', why, {
      subject: request.url.split('?')[0] ?? '',
      next: 'tandem open   makes a new one',
    })
  }

  /** Throws as `identify` does. Otherwise registers the answer until it ends, so that `cutRefused` can cut it. */
  watch(request: Call, role: CallerRole, answer: Answer): KnownCaller {
    const identity = this.identify(request, role)
    const open = { request, role, answer }
    this.#open.add(open)
    answer.on('close', () => this.#open.delete(open))
    return identity
  }

  /**
   * Cuts the answers of callers that have lost their access. Called when a token is revoked, when
   * sessions end, and when the cluster changes.
   */
  cutRefused(): void {
    this.#cut([...this.#open])
  }

  /** Cuts the answers to sessions that have expired. */
  cutExpired(): void {
    this.#cut([...this.#open].filter(({ request }) => isSessionKey(bearer(request) ?? '')))
  }

  #cut(open: Open[]): void {
    for (const { request, role, answer } of open) if (!this.#may(request, role)) answer.destroy()
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
   * made. A destroyed socket does not have the certificate any more.
   */
  machineOf(socket: unknown): TokenHolder | null {
    if (!(socket instanceof TLSSocket) || socket.destroyed || !socket.authorized) return null
    const { raw } = socket.getPeerCertificate()
    if (!raw) return null
    const { role, name, madeAt } = certificateFacts(raw)
    const { cluster, removedMachines } = this.#controller.state
    const isMember = cluster !== null && Object.hasOwn(cluster.machines, name)
    if (role !== 'machine' || !isMember || madeAt <= (removedMachines[name] ?? 0)) return null
    return { role: 'agent', machine: name, name: machineCaller(name) }
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

const endedSession = (subject: string): OperatorError =>
  new OperatorError('E_SESSION_ENDED', 'this session has ended: it expired, or its token was revoked', {
    subject,
    next: 'tandem open   starts another',
  })

function refusalOf(request: Call, token: string | undefined, subject: string): OperatorError {
  if (token === undefined) return noToken(request, subject)
  return isSessionKey(token) ? endedSession(subject) : unknownToken(subject)
}

const allowed: Record<CallerRole, TokenHolder['role'][]> = {
  reader: ['reader', 'operator'],
  operator: ['operator'],
  agent: ['agent'],
  agentOrOperator: ['agent', 'operator'],
  joiner: [],
  visitor: [],
}

/** Throws unless the caller is the agent of `machine`: an agent speaks only for its own machine. */
export function ownMachine(identity: { machine: string | null; name: string }, machine: string): void {
  if (identity.machine === machine) return
  throw new OperatorError('E_FORBIDDEN', `the token "${identity.name}" speaks for machine ${identity.machine}`, {
    subject: machine,
    next: 'start the agent with the machine name of its token, or create a token for this machine',
  })
}
