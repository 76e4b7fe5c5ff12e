import { readFileSync } from 'node:fs'
import type { EntryPoints } from './cli/entryPoints.ts'
import { JoinedFolder, type JoinedMachine } from './identity/joinedMachine.ts'

type Options = Parameters<EntryPoints['runAgent']>[0]

/** The agent's machine and controller, from the command line or from the files that joining wrote. */
export interface AgentIdentity {
  machine: string
  controllerUrl: string
  token: string | null
  /** `null` if the command line gave them: the agent then uses a token and has no certificate. */
  joined: JoinedAgent | null
}

export interface JoinedAgent {
  folder: JoinedFolder
  settings: JoinedMachine['settings']
}

export function agentIdentity({ given, data }: Options): AgentIdentity {
  if (given) {
    const { machine, controllerUrl, tokenFile } = given
    return { machine, controllerUrl, token: readFileSync(tokenFile, 'utf8').trim(), joined: null }
  }
  const folder = new JoinedFolder(data)
  const { machine, controllers, settings } = folder.read()
  return { machine, controllerUrl: `https://${controllers[0]}`, token: null, joined: { folder, settings } }
}
