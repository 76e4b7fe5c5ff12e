import type { FeatureWork } from './features.ts'
import type { AdmittedToken } from '../laptop/admittedToken.ts'
import type { Checkup } from '../protocol/checkup.ts'

/** Programs built from implementations that code outside `cli/` selects. */
export interface EntryPoints {
  /** Creates the authority, key and certificate that `runController` needs for TLS: see `FoundingProgram`. */
  initController(options: FoundingProgram): Promise<{ authority: string; pin: string }>
  /** Starts the controller as a unit, if this process is root on a machine with systemd; returns whether. */
  startController(cluster: string, data: string, words: readonly string[]): Promise<boolean>
  /** Work of features on this computer itself. */
  here(): Promise<FeatureWork>
  /** Signs a machine's request (PKCS #10, PEM) with the authority in `data`; returns the certificate. */
  signOffline(options: { data: string; request: string; machine: string; address: string }): Promise<string>
  /** Removes Tandem from this machine. Needs root. */
  leaveMachine(options: {
    data: string
    /** Also stops and removes the services. */
    purge: boolean
    /** With `purge`: whether to keep the services' data; `null`: the user chose neither. */
    serviceData: 'keep' | 'remove' | null
  }): Promise<LeftBehind>
  /** Examines this machine; `data` is the data folder of its agent. */
  examineMachine(options: { data: string; secretsFolder: string }): Promise<Checkup>
  /** Makes this machine join a cluster. With `start`, root on a machine with systemd also starts its agent. */
  joinMachine(
    options: { controller: string; token: string; pin: string; data: string; start: boolean },
    signal: AbortSignal,
  ): Promise<{ machine: string; cluster: string; started: boolean; lacks: string[] }>
  /** The following programs run until a signal, and resolve with the exit code. */
  runController(options: ControllerProgram): Promise<number>
  runAgent(options: AgentProgram): Promise<number>
  /** The privileged helper: does the work that needs root for an unprivileged agent, until it has been idle. */
  runPrivileged(options: { data: string }): Promise<number>
  /** The same for the controller. */
  runControllerHelper(options: { data: string }): Promise<number>
  /** A program that a feature runs beside the agent. */
  runProgram(name: string, options: { data: string }): Promise<number>
}

export interface ControllerProgram {
  cluster: string
  /** On a laptop: adds routes `SERVICE.localhost`. A second service with the default route keeps only that route. */
  laptop: boolean
  data: string
  host: string
  port: number
  /** Largest size of the release store in bytes; `null`: no cap. */
  storeCapBytes: number | null
  /** A JSON file (mode 0600) with tokens from elsewhere that the controller admits at its start: `AdmittedToken`. */
  admitFile: string | null
}

export interface FoundingProgram {
  cluster: string
  data: string
  /** IP addresses and host names at which the controller is reached. */
  addresses: string[]
  admit: AdmittedToken[]
  /** The controller will be started as a unit: refuses what would keep it from running. */
  start: boolean
}

export interface AgentProgram {
  /** The machine's name and its controller; `null`: read both from the data folder (`tandem agent join`). */
  given: { machine: string; controllerUrl: string; tokenFile: string } | null
  data: string
  host: string
  httpPort: number
  /** 0: the agent chooses a port and keeps it. */
  forwardPort: number
  metricsPort: number
  /** Range of ports for instances; both ends included. */
  ports: { first: number; last: number }
  /** Offset added to the ports of tcp routes, because the machines of a laptop share one address. */
  tcpOffset: number
  secretsFolder: string
  /** Largest size of the machine's release cache in bytes; `null`: no cap. */
  cacheCapBytes: number | null
}

export interface LeftBehind {
  /** Units that continue to run. */
  units: string[]
  /** Services whose data is kept. */
  keptData: string[]
  /** After `purge`: everything that remains. `remove`: the command that removes it. */
  stays: { what: string; where: string; remove: string | null }[]
}
