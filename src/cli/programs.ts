import type { Joined } from './machine/joinCluster.ts'
import type { Checkup } from '../protocol/checkup.ts'

/** What is made of implementations that are picked outside the command line. */
export interface Programs {
  /** Makes what `runController` needs to speak TLS: see `FoundingProgram`. */
  initController(options: FoundingProgram): Promise<{ authority: string; pin: string }>
  /** Signs a machine's request (PKCS #10, PEM) with the authority in `data`; returns the certificate. */
  signOffline(options: { data: string; request: string; machine: string; address: string }): Promise<string>
  /** Takes Tandem off this machine, as root. */
  leaveMachine(options: {
    data: string
    /** Removes what runs, too. */
    purge: boolean
    /** With `purge`: what becomes of the services' data; `null`: nothing was said. */
    serviceData: 'keep' | 'remove' | null
  }): Promise<LeftBehind>
  /** Looks at the machine whose agent keeps its data here. */
  examineMachine(options: { data: string; secretsFolder: string }): Promise<Checkup>
  /** Prepares this machine, as root, for an agent that is not; returns the lines of its unit that say so. */
  setUpUnprivileged(options: {
    data: string
    command: string[]
    environment: Record<string, string>
    joined: Joined
  }): Promise<string[]>
  /** These three run until a signal, and resolve with the exit code. */
  runController(options: ControllerProgram): Promise<number>
  runAgent(options: AgentProgram): Promise<number>
  /** Does what needs root for an agent without rights, until nobody asks any more. */
  runPrivileged(options: { data: string }): Promise<number>
  /** Watches over this machine's virtual addresses, until a signal. */
  runGuard(options: { data: string }): Promise<number>
}

export interface ControllerProgram {
  cluster: string
  /** On a laptop: routes `SERVICE.localhost`, a second service with the default route keeps only that. */
  laptop: boolean
  data: string
  host: string
  port: number
  /** Largest size of the release store in bytes; `null`: no cap. */
  storeCapBytes: number | null
  /** A JSON file (mode 0600) of tokens made elsewhere, admitted at the start: see `AdmittedToken`. */
  admitFile: string | null
}

export interface FoundingProgram {
  cluster: string
  data: string
  /** How the controller is reached: IP addresses and host names. */
  addresses: string[]
  admit: AdmittedToken[]
}

export interface AgentProgram {
  /** Who it is and whom it talks to; `null`: as `tandem agent join` left it in the data folder. */
  given: { machine: string; controllerUrl: string; tokenFile: string } | null
  data: string
  host: string
  httpPort: number
  /** 0: the agent chooses, and keeps its choice. */
  forwardPort: number
  metricsPort: number
  /** For instances; both ends included. */
  ports: { first: number; last: number }
  /** Added to the ports of tcp routes: a laptop's machines share one address. */
  tcpOffset: number
  secretsFolder: string
  /** Largest size of the machine's release cache in bytes; `null`: no cap. */
  cacheCapBytes: number | null
}

/** One entry of the controller's admit file. */
export interface AdmittedToken {
  token: string
  role: 'operator' | 'reader' | 'agent'
  machine: string | null
  name: string
}

export interface LeftBehind {
  /** They go on. */
  units: string[]
  /** Services whose data is kept. */
  keptData: string[]
  /** After `purge`: all that is still there. `remove`: a command that removes it. */
  stays: { what: string; where: string; remove: string | null }[]
}
