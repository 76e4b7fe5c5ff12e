import type { Ask } from '../protocol/ask.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Controller } from './controller.ts'

/** A message of the controller to an agent. */
export type AgentMessage = { event: 'desired'; data: DesiredState } | { event: 'ask'; data: Ask }

/** The controller's end of one agent's stream, over HTTPS (http/agentCalls.ts) or, in tests, in memory. */
export interface Link {
  send: (message: AgentMessage) => void
  end: () => void
}

/** The connected agents. Each agent receives its whole desired state when it connects and again after every change. */
export class AgentLinks {
  #controller: Controller
  #links = new Map<string, Link>()
  #sent = new Map<string, number>()

  constructor(controller: Controller) {
    this.#controller = controller
    controller.onChange(() => this.#sendAll())
  }

  /** A newer connection of the same machine replaces the older one. */
  connect(machine: string, link: Link): () => void {
    this.#links.get(machine)?.end()
    this.#links.set(machine, link)
    this.#sent.delete(machine)
    this.#send(machine, link, true)
    return () => {
      if (this.#links.get(machine) === link) this.#links.delete(machine)
    }
  }

  ask(machine: string, ask: Ask): boolean {
    const link = this.#links.get(machine)
    link?.send({ event: 'ask', data: ask })
    return link !== undefined
  }

  connected(): string[] {
    return [...this.#links.keys()]
  }

  closeAll(): void {
    for (const link of this.#links.values()) link.end()
    this.#links.clear()
  }

  #sendAll(): void {
    for (const [machine, link] of this.#links) {
      if (this.#sent.get(machine) !== this.#controller.state.position) this.#send(machine, link)
    }
  }

  #send(machine: string, link: Link, isFirst = false): void {
    const desired = this.#controller.desired(machine, isFirst)
    this.#sent.set(machine, desired.position)
    link.send({ event: 'desired', data: desired })
  }
}
