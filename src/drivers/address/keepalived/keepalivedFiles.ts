import { join } from 'node:path'
import { addressRunDir } from '../../../layout/addresses.ts'
import { agentRunDir } from '../../../layout/folders.ts'

/** Paths that the parts of the address driver share. Files in `run` are gone after a reboot. */
export interface KeepalivedFiles {
  /** Configuration of keepalived, written as root. */
  config: string
  /** Settings of the guard: `GuardSettings` as JSON. */
  guard: string
  /** The settings with which both were last made to run. */
  applied: string
  run: string
  /** Folder of the agent: only the agent writes there. */
  agent: string
  /** The last message of the controller, written by the agent for the guard. */
  word: string
  /** The observations of the guard, for the agent. */
  state: string
  keepalivedPid: string
  vrrpPid: string
}

export function keepalivedFiles(data: string, run = addressRunDir): KeepalivedFiles {
  const agent = run === addressRunDir ? agentRunDir : join(run, 'agent')
  return {
    run,
    config: join(data, 'address/keepalived.conf'),
    guard: join(data, 'address/guard.json'),
    applied: join(data, 'address/applied.json'),
    agent,
    word: join(agent, 'word.json'),
    state: join(run, 'state.json'),
    keepalivedPid: join(run, 'keepalived.pid'),
    vrrpPid: join(run, 'vrrp.pid'),
  }
}

/** Track file of an address for keepalived: `1` if this machine must not hold the address, else `0`. */
export const trackFile = (run: string, address: string): string => join(run, `${nameOf(address)}.track`)

/** An address as a word of the configuration of keepalived. */
export const nameOf = (address: string): string => `tandem_${address.replaceAll(/[.:]/g, '_')}`
