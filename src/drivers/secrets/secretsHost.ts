import type { SecretValues } from '../supervisor/supervisor.ts'

/** An order of the controller with the secrets of one service, as it arrived: the agent cannot read the values. */
export interface CarriedOrder {
  order: string | null
  content: string
  values: string | null
}

/** Where the secrets of services are kept on a machine: at its privileged helper, or, on a laptop, in the agent. */
export interface SecretsHost {
  /** The key to which orders are encrypted; `null`: the controller knows it. */
  recipient: () => Promise<string | null>
  /** The services of which something is kept. */
  services: () => Promise<string[]>
  /** The values of a service that are kept, as orders name them. */
  held: (service: string) => Promise<string[]>
  /** Throws if the controller did not make the order for this machine, or if a later one came before. */
  take: (service: string, carried: CarriedOrder) => Promise<void>
  /** Whether everything that a generation needs is kept. */
  has: (service: string, generation: string) => Promise<boolean>
  /** Where the supervisor cannot ask the privileged helper, the values for a start. */
  values?: (service: string, generation: string) => SecretValues
}
