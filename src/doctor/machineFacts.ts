/** Something that was looked at: what was seen, or why it could not be; `null`: there is no such thing on this machine. */
export type Gathered<T> = { seen: T } | { why: string } | null

/** Everything that `judgeMachine` judges by, gathered at one moment on one machine. Times in milliseconds since 1970. */
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
  keepalived: Gathered<OwnConfiguration>
  units: Gathered<Units>
  secrets: Gathered<SecretFile[]>
}

export interface AgentState {
  /** Why it does not answer; `null`: it does. */
  silent: string | null
  version: string
  /** Of the program that looks. */
  installed: string
  connected: boolean
  /** What it could not do, in its words. */
  problems: string[]
}

export interface ProgramVersion {
  program: 'node' | 'systemd' | 'haproxy' | 'keepalived'
  /** Such as `2.6.12`; `null`: not installed. */
  version: string | null
}

export interface Ports {
  expected: ExpectedPort[]
  /** On the ports expected. */
  listeners: Listener[]
  /** Of instances, on other ports than their own, for more than loopback. */
  strays: { instance: string; port: number; address: string }[]
  /** Routes that everybody reaches although their release does not say so. */
  unsaid: { service: string; port: number }[]
}

export interface ExpectedPort {
  port: number
  /** The one address to be listened on; absent: it is not looked at. */
  address?: string
  /** Such as `the entry for http`. */
  what: string
  /** The unit that must hold it; `null`: any process. */
  unit: string | null
  /** It must not be reached from outside. */
  loopbackOnly: boolean
}

export interface Listener {
  port: number
  address: string
  pid: number | null
  command: string
  unit: string | null
  /** The instance that the process belongs to; `null`: none, or it cannot be seen. */
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
  /** Whoever looks may not read it; that says nothing of what is in it. */
  isDenied: boolean
}

export interface CertificateFile {
  path: string
  /** `identity`: renewed by the agent; `copy`: HAProxy's of it; `public`: for https, put there by people. */
  kind: 'identity' | 'copy' | 'public'
  notAfter: number
  /** When it should have been renewed; `null` where nobody renews it. */
  renewAt: number | null
  hasItsKey: boolean
  /** Signed by the authority that the machine trusts; `null`: need not be. */
  isSigned: boolean | null
  /** The same as the machine's own; `null`: need not be. */
  isCurrent: boolean | null
}

export interface Disk {
  path: string
  /** What Tandem keeps there that grows: an agent's releases, a controller's, the journal. */
  holds: 'cache' | 'store' | 'journal' | 'other'
  freeBytes: number
  totalBytes: number
  /** 0 of 0: the file system counts none. */
  freeInodes: number
  totalInodes: number
}

export interface Limits {
  ephemeral: { first: number; last: number; used: number }
  /** Where the agent takes ports for instances from. */
  instances: { first: number; last: number } | null
  files: { used: number; most: number }
  /** `null`: which they are is not known. */
  processes: { name: string; pid: number; used: number; most: number }[] | null
  /** Connections that were refused since a queue of those not yet accepted was full; two looks. */
  overflows: { before: number; after: number; seconds: number }
}

/** A configuration that Tandem wrote, and the program that runs by it. */
export interface OwnConfiguration {
  path: string
  unit: string
  /** By its seal; `absent`: there is no file. */
  file: 'whole' | 'changed' | 'none' | 'absent'
  /** What the program itself says against it; `null`: it takes it. */
  refusal: string | null
}

export interface HaproxyState extends OwnConfiguration {
  /** Why the running one could not be asked; `null`: it was. */
  silent: string | null
  /** The file's and the running worker's; `null`: none of Tandem's. */
  shapeOnDisk: string | null
  shapeRunning: string | null
  failedReloads: number
  /** Open files: for all the connections that it may have, and as many as it was given. */
  files: { needed: number; given: number } | null
}

export interface Units {
  units: Unit[]
  /** Ids of the instances that should be here, or that the agent still has to do with. */
  wanted: string[]
  /** Names of Tandem's own that must be there. */
  own: string[]
}

export interface Unit {
  name: string
  /** `loaded`, `not-found`, `masked`, … */
  load: string
  /** `active`, `inactive`, `failed`, … */
  active: string
  enabled: boolean
  /** `null`: not an instance. */
  instance: { id: string; once: boolean } | null
}

export interface SecretFile {
  path: string
  /** The permission bits. */
  mode: number
  isOurs: boolean
}
