import { encodeServerSentEvent } from '../lib/serverSentEvents.ts'
import type { Ask } from '../protocol/ask.ts'
import type { Controller } from './controller.ts'

/** The write end of one agent's stream. */
export interface Link {
  write: (text: string) => void
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
    link?.write(encodeServerSentEvent({ event: 'ask', data: JSON.stringify(ask) }))
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
    link.write(encodeServerSentEvent({ event: 'desired', data: JSON.stringify(desired) }))
  }
}
