import type { BalancerDriver } from '../../drivers/balancer/balancer.ts'
import { mostNumbers, type MachineLoad, type MachineNumbers } from '../../protocol/numbers.ts'

interface Parts {
  balancer: BalancerDriver
  /** Instances that run here and take requests. */
  running: () => { id: string; service: string }[]
  load: () => Promise<MachineLoad>
}

/** The numbers of this machine now; an instance that has had no request yet has zeros. */
export async function machineNumbers({ balancer, running, load }: Parts): Promise<MachineNumbers> {
  const [{ counting, instances, services }, measured] = await Promise.all([balancer.numbers(), load()])
  const counted = new Set(instances.map(({ instance }) => instance))
  const silent = running().filter(({ id }) => !counted.has(id))
  return {
    counting,
    instances: [
      ...instances.map(({ instance: id, ...numbers }) => ({ id, ...numbers })),
      ...silent.map((one) => ({ ...one, answers: [0, 0, 0, 0, 0] as const, connections: 0, errors: 0, work: 0 })),
    ]
      .slice(0, mostNumbers)
      .map((one) => ({ ...one, answers: [...one.answers] })),
    services: services.slice(0, mostNumbers),
    load: measured,
  }
}
