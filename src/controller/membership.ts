import type { ClusterDefinition } from '../definitions/cluster.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { MachineSettings } from '../definitions/machineSettings.ts'
import type { Joins } from '../store/joins.ts'
import type { ClusterAuthority } from './clusterAuthority.ts'
import type { Controller } from './controller.ts'

/** Time a join token is valid. */
const joinMs = 3_600_000

interface Options {
  controller: Controller
  joins: Joins
  authority: ClusterAuthority | null
}

export interface Joined {
  machine: string
  certificate: string
  authority: string
  controllers: string[]
  settings: MachineSettings
}

interface Invitation {
  token: string
  expiresAt: string
  pin: string
  controllers: string[]
  /** Whether the machine has joined already. */
  joined: boolean
  /** Release of Tandem that an upgrade brought to it; `null`: it runs the installed program. */
  program: string | null
}

/** Which machines belong to the cluster, how a machine joins, and how it renews its certificate. */
export class Membership {
  readonly #controller: Controller
  readonly #joins: Joins
  readonly #authority: ClusterAuthority | null

  constructor({ controller, joins, authority }: Options) {
    this.#controller = controller
    this.#joins = joins
    this.#authority = authority
  }

  /** Deletes the join tokens of machines that no longer belong to the cluster. */
  async forgetRemoved(): Promise<void> {
    const { removedMachines, cluster } = this.#controller.state
    for (const machine of Object.keys(removedMachines)) {
      if (!Object.hasOwn(cluster?.machines ?? {}, machine)) await this.#joins.forget(machine)
    }
  }

  /** Makes a token that lets `machine` join once, and returns it with the fingerprint that pins this cluster. */
  async invite(machine: string): Promise<Invitation> {
    const authority = this.#needAuthority()
    const { cluster } = this.#member(machine)
    const { token, expiresAt } = await this.#joins.create(machine, this.#controller.now(), joinMs)
    return {
      token,
      expiresAt: new Date(expiresAt).toISOString(),
      pin: authority.pin,
      controllers: cluster.controllers,
      joined: Object.hasOwn(this.#controller.state.machines, machine),
      program: this.#controller.observed[machine]?.report.program?.release ?? null,
    }
  }

  /** Rejects unless `token` lets a machine join now. */
  async mayJoin(token: string | undefined): Promise<string> {
    if (token && (await this.#joins.find(token, this.#controller.now())) !== null) return token
    throw joinRefused()
  }

  /**
   * The machine whose helper may register this key with `token`: the first key that comes with it, because other
   * programs of the machine may have seen the token. A machine that still has to join needs the token for that too.
   */
  async machineWithKey(token: string, key: string, hasJoined: boolean): Promise<string> {
    const now = this.#controller.now()
    const found = await this.#joins.find(token, now)
    if (found === null) throw joinRefused()
    const bound = await this.#joins.bind(token, key)
    if (bound === 'refused') throw tokenSeen(found.machine)
    // An interrupted join is repeated with its used token.
    const isTaken = hasJoined ? (await this.#joins.take(token, key, now)) === null : found.isUsed && bound === 'first'
    if (isTaken) throw joinRefused()
    return found.machine
  }

  /**
   * Signs the key of the machine that shows `token`. The token is used up only when signing succeeds; after that, only
   * the same request is answered again.
   */
  async join(token: string, request: string): Promise<Joined> {
    const authority = this.#needAuthority()
    const machine = await this.#joins.take(token, request, this.#controller.now())
    if (machine === null) throw joinRefused()
    try {
      return await this.#sign(authority, machine, request)
    } catch (error) {
      await this.#joins.giveBack(token)
      throw error
    }
  }

  renew(machine: string, request: string): Promise<Joined> {
    return this.#sign(this.#needAuthority(), machine, request)
  }

  async #sign(authority: ClusterAuthority, machine: string, request: string): Promise<Joined> {
    const { cluster, address } = this.#member(machine)
    const settings = this.#controller.desired(machine).settings
    if (!settings) throw new Error(`machine ${machine} belongs to the cluster but has no settings: a bug`)
    const certificate = await authority.sign(request, machine, address, this.#controller.now())
    const { controllers } = cluster
    return { machine, certificate, authority: authority.certificate, controllers, settings }
  }

  #member(machine: string): { cluster: ClusterDefinition; address: string } {
    const { cluster } = this.#controller.state
    const named = cluster && Object.hasOwn(cluster.machines, machine) ? cluster.machines[machine] : undefined
    if (cluster && named) return { cluster, address: named.address }
    const known = Object.keys(cluster?.machines ?? {}).join(', ') || 'none yet'
    throw new OperatorError('E_NO_SUCH_MACHINE', `the cluster file names no machine ${machine} (machines: ${known})`, {
      subject: machine,
      next: 'add the machine to cluster.yaml, then: tandem cluster apply cluster.yaml',
    })
  }

  #needAuthority(): ClusterAuthority {
    if (this.#authority) return this.#authority
    throw new OperatorError('E_NO_AUTHORITY', 'this controller has no authority to sign certificates with', {
      subject: this.#controller.config.cluster,
      next: 'tandem controller init   makes a cluster that machines can join; machines of `tandem up` need not join',
    })
  }
}

const joinRefused = (): OperatorError =>
  new OperatorError('E_JOIN_REFUSED', 'the join token is unknown, already used, or expired', {
    next: 'tandem machine add NAME   prints a new join command',
  })

const tokenSeen = (machine: string): OperatorError =>
  new OperatorError('E_TOKEN_SEEN', `somebody has shown this join token before, with another key for ${machine}`, {
    subject: machine,
    next: `if that was not you: tandem machine remove ${machine}, and install its system again`,
  })
