import { readFileSync } from 'node:fs'
import { OperatorError } from '../lib/operatorError.ts'
import { JoinedFolder, type JoinedMachine } from '../identity/joinedMachine.ts'

interface Options {
  /** Values of the command line; `null`: the machine has joined. */
  given: { machine: string; controllerUrl: string; tokenFile: string } | null
  data: string
}

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

/** Throws an error that names the driver if the machine has no certificate. */
export function mustHaveJoined({ machine, joined }: AgentIdentity, driver: string): JoinedAgent {
  if (joined) return joined
  throw new OperatorError(
    'E_DEFINITION',
    `the balancer "${driver}" needs the certificate of a machine that has joined`,
    {
      subject: machine,
      next: 'tandem machine add NAME   prints the command that makes a machine join',
    },
  )
}
