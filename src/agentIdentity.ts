import { readFileSync } from 'node:fs'
import type { Programs } from './cli/programs.ts'
import { JoinedFolder, type JoinedMachine } from './identity/joinedMachine.ts'

type Options = Parameters<Programs['runAgent']>[0]

/** Who this agent is and whom it talks to: as given on the command line, or as joining left it on disk. */
export interface AgentIdentity {
  machine: string
  controllerUrl: string
  token: string | null
  /** `null` where it was given: by token, without TLS of its own. */
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
