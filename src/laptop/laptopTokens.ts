import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, writeJsonDurably } from '../lib/durableJson.ts'
import type { AdmittedToken } from './admittedToken.ts'

/** Tokens for a laptop's controller: one for its user, and one for each machine's agent. */
export interface LaptopTokens {
  operator: string
  agents: Record<string, string>
}

const newToken = (): string => `tdm_${randomBytes(32).toString('base64url')}`

/** Names of the machines that a data folder has had so far. */
export function knownMachines(data: string): string[] {
  return Object.keys(read(data)?.agents ?? {}).sort()
}

/** The tokens of the data folder, with new ones for new machines. Writes them where controller and agents read them. */
export function keepTokens(data: string, machines: readonly string[]): LaptopTokens {
  const known = read(data)
  const tokens: LaptopTokens = {
    operator: known?.operator ?? newToken(),
    agents: {
      ...known?.agents,
      ...Object.fromEntries(machines.map((name) => [name, known?.agents[name] ?? newToken()])),
    },
  }
  writeJsonDurably(tokensFile(data), tokens)
  writeJsonDurably(admitFile(data), admitted(tokens))
  for (const name of machines) {
    mkdirSync(join(data, name), { recursive: true, mode: 0o700 })
    writeFileSync(agentTokenFile(data, name), `${tokens.agents[name] ?? ''}\n`, { mode: 0o600 })
  }
  return tokens
}

export const admitFile = (data: string): string => join(data, 'admit.json')
export const agentTokenFile = (data: string, machine: string): string => join(data, machine, 'token')
const tokensFile = (data: string): string => join(data, 'tokens.json')

function read(data: string): LaptopTokens | null {
  return readJson(tokensFile(data)) as LaptopTokens | null // only `keepTokens` writes this file, atomically
}

function admitted({ operator, agents }: LaptopTokens): AdmittedToken[] {
  return [
    { token: operator, role: 'operator', machine: null, name: 'tandem up' },
    ...Object.entries(agents).map(([machine, token]) => ({ token, role: 'agent' as const, machine, name: machine })),
  ]
}
