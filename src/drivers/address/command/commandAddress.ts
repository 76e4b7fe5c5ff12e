import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readJson, writeJsonDurably } from '../../../lib/durableJson.ts'
import { OperatorError } from '../../../lib/operatorError.ts'
import type { AddressDriver, AddressPlan } from '../address.ts'
import { runScript } from './runScript.ts'

export interface CommandOptions {
  machine: string
  cluster: string
  /** Folder of the scripts `take` and `release`, which the operator of the machine puts there. */
  folder: string
  /** The file that records the last action. */
  file: string
  limits?: Partial<CommandLimits>
  /**
   * Runs a script as root. Default: this process runs the script and must then run as root. Rejects with the last lines
   * of its output.
   */
  run?: RunAddressScript
}

export type RunAddressScript = (script: Done['script'], addresses: string[], signal: AbortSignal) => Promise<void>

export interface CommandLimits {
  /** Time after which a script is killed. An AWS load balancer takes up to five minutes to drain a target. */
  scriptMs: number
  /** Delay before a failed script runs again. */
  againMs: number
}

export const commandLimits: CommandLimits = { scriptMs: 360_000, againMs: 10_000 }

interface Done {
  script: 'take' | 'release'
  addresses: string[]
}

/**
 * Takes this machine out of an external balancer or out of DNS, and puts it back, through two scripts of the operator:
 * for networks in which an address cannot move. A script runs when the wanted state changes, and again until it
 * succeeds; so a script must be safe to run twice.
 */
export function createCommandAddress(options: CommandOptions): AddressDriver {
  const limits = { ...commandLimits, ...options.limits }
  let done = readDone(options.file)
  let failed: { plan: string; at: number; error: unknown } | null = null
  const closing = new AbortController()
  const run = options.run ?? addressScripts({ ...options, timeoutMs: limits.scriptMs })

  const apply = async (plan: AddressPlan): Promise<void> => {
    const { eligible, yields, addresses } = plan
    const script = eligible && !(yields.length > 0 && yields.length === addresses.length) ? 'take' : 'release'
    const wanted: Done = { script, addresses }
    if (isDeepStrictEqual(done, wanted)) return
    const about = JSON.stringify(wanted)
    if (failed?.plan === about && performance.now() - failed.at < limits.againMs) throw failed.error
    try {
      await run(script, addresses, closing.signal)
    } catch (error) {
      failed = { plan: about, at: performance.now(), error }
      throw error
    }
    failed = null
    done = wanted
    writeJsonDurably(options.file, done)
  }

  return {
    name: 'command',
    abilities: { movesAddresses: false },
    apply,
    held: () => [],
    withheld: () => null,
    trouble: () => null,
    reaches: () => [],
    onChange: () => {},
    heard: () => {},
    problems: () => [],
    close: async () => closing.abort(),
  }
}

type Scripts = Pick<CommandOptions, 'folder' | 'machine' | 'cluster'>

/** The scripts of the operator, run by this process. */
function addressScripts({ timeoutMs, ...about }: Scripts & { timeoutMs: number }): RunAddressScript {
  return (script, addresses, signal) =>
    runScript(scriptIn(about, script), { timeoutMs, signal, env: scriptEnvironment(about, addresses) })
}

/** Environment variables for a script. */
export const scriptEnvironment = (
  { machine, cluster }: Pick<CommandOptions, 'machine' | 'cluster'>,
  addresses: readonly string[],
): Record<string, string> => ({
  TANDEM_MACHINE: machine,
  TANDEM_CLUSTER: cluster,
  TANDEM_ADDRESSES: addresses.join(' '),
})

export function scriptIn(
  { folder, machine }: Pick<CommandOptions, 'folder' | 'machine'>,
  name: Done['script'],
): string {
  const path = join(folder, name)
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch (cause) {
    throw new OperatorError('E_ADDRESS_DRIVER', `the script ${path} does not exist or is not executable`, {
      subject: machine,
      next: 'put an executable script there (see docs/machines.md and examples/address); Tandem tries again. Or set drivers: { address: none }',
      cause,
    })
  }
}

function readDone(file: string): Done | null {
  const found = readJson(file)
  if (typeof found !== 'object' || found === null || !('script' in found) || !('addresses' in found)) return null
  if (found.script !== 'take' && found.script !== 'release') return null
  if (!Array.isArray(found.addresses)) return null
  return { script: found.script, addresses: found.addresses.map(String) }
}
