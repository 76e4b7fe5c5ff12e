import { Pair, type PairOptions } from './pair.ts'

/** Includes installing the machines' system, in the first run. */
export const bootMs = 700_000

export const virtualAddress = '10.77.0.50'
/** A pair with one virtual address. */
export const withAddress: PairOptions = {
  drivers: '{ supervisor: systemd, balancer: haproxy, address: keepalived }',
  more: `addresses: [${virtualAddress}]\n`,
}

/**
 * One booted pair for several suites: opened at the first call, and put back as it was new at each later one. A suite
 * that leaves more behind than services, drained machines, cut links and another cluster file boots its own pair.
 */
export class SharedPair {
  #pair: Pair | null = null
  #options: () => Promise<PairOptions>

  constructor(options: () => Promise<PairOptions> = async () => ({})) {
    this.#options = options
  }

  readonly lend = async (): Promise<Pair> => {
    if (this.#pair) await putBack(this.#pair)
    return (this.#pair ??= await Pair.open(await this.#options()))
  }

  async close(): Promise<void> {
    await this.#pair?.close()
  }
}

async function putBack(pair: Pair): Promise<void> {
  await pair.lab.network.heal()
  await pair.applyCluster()
  await pair.tandem('maintenance', 'stop')
  for (const machine of ['a', 'b']) await pair.tandem('machine', 'ready', machine)
  await pair.until('ready')
  const { services } = await pair.status()
  for (const { service } of services) await pair.remove(service)
}
