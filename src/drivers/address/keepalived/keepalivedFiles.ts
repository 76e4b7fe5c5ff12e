import { join } from 'node:path'

/** Where the parts of the address driver meet. Those in `run` are gone after a reboot. */
export interface KeepalivedFiles {
  /** Of keepalived, written as root. */
  config: string
  /** What the guard looks at: `GuardSettings` as JSON. */
  guard: string
  /** What both were last made to run by. */
  applied: string
  run: string
  /** Of the agent: it alone writes there. */
  agent: string
  /** What the agent last heard from the controller, for the guard. */
  word: string
  /** What the guard sees, for the agent. */
  state: string
  keepalivedPid: string
  vrrpPid: string
}

export const addressRunDir = '/run/tandem-address'
const agentRunDir = '/run/tandem-agent'

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

/** The file by which keepalived is told that this machine must not hold an address: `1`; else `0`. */
export const trackFile = (run: string, address: string): string => join(run, `${nameOf(address)}.track`)

/** An address as a word of keepalived's. */
export const nameOf = (address: string): string => `tandem_${address.replaceAll(/[.:]/g, '_')}`
