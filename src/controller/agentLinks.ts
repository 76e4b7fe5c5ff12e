import type { Ask } from '../protocol/ask.ts'
import { desiredChange, type DesiredChange } from '../protocol/desiredChange.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Controller } from './controller.ts'

/** A message of the controller to an agent. */
export type AgentMessage =
  | { event: 'desired'; data: DesiredState }
  | { event: 'desired-change'; data: DesiredChange }
  | { event: 'ask'; data: Ask }

/** The controller's end of one agent's stream, over HTTPS (http/agentCalls.ts) or, in tests, in memory. */
export interface Link {
  /** The agent asked for changes when it opened the stream; an older one gets each state whole. */
  takesChanges: boolean
  send: (message: AgentMessage) => void
  end: () => void
}

interface Connected {
  link: Link
  /** The desired state sent last over this link. */
  sent: DesiredState
}

/**
 * The connected agents. Each agent receives its whole desired state when it connects, and again after every change: as
 * the difference from the state before, where the agent takes that.
 */
export class AgentLinks {
  #controller: Controller
  #links = new Map<string, Connected>()

  constructor(controller: Controller) {
    this.#controller = controller
    controller.onChange(() => this.#sendAll())
  }

  /** A newer connection of the same machine replaces the older one. */
  connect(machine: string, link: Link): () => void {
    this.#links.get(machine)?.link.end()
    const sent = this.#controller.desired(machine, true)
    this.#links.set(machine, { link, sent })
    link.send({ event: 'desired', data: sent })
    return () => {
      if (this.#links.get(machine)?.link === link) this.#links.delete(machine)
    }
  }

  ask(machine: string, ask: Ask): boolean {
    const connected = this.#links.get(machine)
    connected?.link.send({ event: 'ask', data: ask })
    return connected !== undefined
  }

  connected(): string[] {
    return [...this.#links.keys()]
  }

  closeAll(): void {
    for (const { link } of this.#links.values()) link.end()
    this.#links.clear()
  }

  #sendAll(): void {
    for (const [machine, { link, sent }] of this.#links) {
      if (sent.position === this.#controller.state.position) continue
      const desired = this.#controller.desired(machine)
      this.#links.set(machine, { link, sent: desired })
      link.send(
        link.takesChanges
          ? { event: 'desired-change', data: desiredChange(sent, desired) }
          : { event: 'desired', data: desired },
      )
    }
  }
}
