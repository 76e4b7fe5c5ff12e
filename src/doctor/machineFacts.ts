import type { CheckupArea } from '../protocol/checkup.ts'
import type { DriverProgram } from '../definitions/driverRegistry.ts'

/** A gathered fact, or the reason why it could not be gathered; `null` if the machine has no such thing. */
export type Gathered<T> = { seen: T } | { why: string } | null

/** The facts that `judgeMachine` judges, gathered at one moment on one machine. Times in milliseconds since 1970. */
export interface MachineFacts {
  machine: string
  now: number
  agent: Gathered<AgentState>
  programs: Gathered<ProgramVersion[]>
  clock: Gathered<{ synchronised: boolean }>
  ports: Gathered<Ports>
  certificates: Gathered<Certificates>
  disks: Gathered<Disk[]>
  limits: Gathered<Limits>
  haproxy: Gathered<HaproxyState>
  /** Other files that the agent writes for programs of its machine. */
  configurations: { area: CheckupArea; state: Gathered<OwnConfiguration> }[]
  units: Gathered<Units>
  secrets: Gathered<SecretFile[]>
}

export interface AgentState {
  /** Why the agent does not answer; `null` if it does. */
  silent: string | null
  version: string
  /** Version of the program that examines. */
  installed: string
  connected: boolean
  /** Problems that the agent reports, in its words. */
  problems: string[]
}

export interface ProgramVersion {
  program: 'node' | DriverProgram
  /** Version such as `2.6.12`; `null` if not installed. */
  version: string | null
}

export interface Ports {
  expected: ExpectedPort[]
  /** Listeners on the expected ports. */
  listeners: Listener[]
  /** Ports other than their own on which instances listen beyond loopback. */
  strays: { instance: string; port: number; address: string }[]
  /** Routes that everybody can reach although their release does not declare it. */
  unsaid: { service: string; port: number }[]
}

export interface ExpectedPort {
  port: number
  /** The one address that must be listened on; absent if the address is not checked. */
  address?: string
  /** Description such as `the entry for http`. */
  what: string
  /** Unit that must hold the port; `null` allows any process. */
  unit: string | null
  /** True if the port must not be reachable from outside. */
  loopbackOnly: boolean
}

export interface Listener {
  port: number
  address: string
  pid: number | null
  command: string
  unit: string | null
  /** Instance that the process belongs to; `null` if there is none or it is unknown. */
  instance: string | null
}

export interface Certificates {
  files: CertificateFile[]
  unread: UnreadCertificate[]
}

export interface UnreadCertificate {
  path: string
  kind: CertificateFile['kind']
  why: string
  /** True if this user may not read the file, which does not mean that the content is wrong. */
  isDenied: boolean
}

export interface CertificateFile {
  path: string
  /**
   * `identity`: renewed by the agent; `copy`: HAProxy's copy of the identity; `public`: for HTTPS, provided by people.
   */
  kind: 'identity' | 'copy' | 'public'
  /** The first name that it is for. */
  name: string
  notAfter: number
  /** When the certificate should have been renewed; `null` if Tandem does not renew it. */
  renewAt: number | null
  hasItsKey: boolean
  /** Whether the authority that the machine trusts has signed it; `null` if not required. */
  isSigned: boolean | null
  /** Whether it equals the machine's own certificate; `null` if not required. */
  isCurrent: boolean | null
}

export interface Disk {
  path: string
  /** Growing data that Tandem keeps there: an agent's releases, a controller's, the journal. */
  holds: 'cache' | 'store' | 'journal' | 'other'
  freeBytes: number
  totalBytes: number
  /** 0 of 0 if the file system does not count inodes. */
  freeInodes: number
  totalInodes: number
}

export interface Limits {
  ephemeral: { first: number; last: number; used: number }
  /** Range from which the agent takes ports for instances. */
  instances: { first: number; last: number } | null
  files: { used: number; most: number }
  /** `null` if the processes are not known. */
  processes: { name: string; pid: number; used: number; most: number }[] | null
  /** Connections refused because a queue of connections not yet accepted was full; two readings. */
  overflows: { before: number; after: number; seconds: number }
}

/** A configuration that Tandem wrote, and the program that runs with it. */
export interface OwnConfiguration {
  path: string
  unit: string
  /** State of the file by its seal; `absent` if there is no file. */
  file: 'whole' | 'changed' | 'none' | 'absent'
  /** Refusal by the program's own check; `null` if the check passed. */
  refusal: string | null
}

export interface HaproxyState extends OwnConfiguration {
  /** Why the running HAProxy could not be queried; `null` if it was. */
  silent: string | null
  /** Fingerprint in the file and in the running worker; `null` if the configuration is not Tandem's. */
  shapeOnDisk: string | null
  shapeRunning: string | null
  failedReloads: number
  /** Open files: the number needed for all allowed connections, and the number allowed. */
  files: { needed: number; given: number } | null
}

export interface Units {
  units: Unit[]
  /** Ids of the instances that should be on the machine or that the agent still handles. */
  wanted: string[]
  /** Names of Tandem's own units that must exist. */
  own: string[]
  /** Of `own`, those that joining or an upgrade has written. */
  parts: string[]
  /** True if the agent's version has not set up its own units yet. */
  areOld: boolean
}

export interface Unit {
  name: string
  /** Load state: `loaded`, `not-found`, `masked`, … */
  load: string
  /** Active state: `active`, `inactive`, `failed`, … */
  active: string
  enabled: boolean
  /** For a unit of Tandem itself: whether it runs all the time, or comes and goes. */
  own: 'standing' | 'passing' | null
  /** `null` if the unit is not an instance. */
  instance: { id: string; once: boolean } | null
}

export interface SecretFile {
  path: string
  /** Permission bits. */
  mode: number
  isOurs: boolean
}
