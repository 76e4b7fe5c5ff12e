import type { Drivers } from './driverRegistry.ts'
import type { featureKeys } from './features.ts'
import type { Stored } from './shapes/group.ts'

/** The values of the keys that features have in a cluster file. */
export type FeatureValues = Stored<typeof featureKeys>

/** A cluster file after parsing: every default filled in. */
export interface ClusterDefinition extends FeatureValues {
  cluster: string
  /** Where the controllers answer, as `host:port`; an IPv6 address is in brackets. */
  controllers: string[]
  machines: Record<string, ClusterMachine>
  entry: {
    http: number
    https: number
    /** Folder of certificates, as written; `null`: no https. */
    certificates: string | null
    /** Networks of the balancers in front (`10.0.0.0/8`): their statements about the client are trusted. */
    trustedProxies: string[]
  }
  drivers: Drivers
}

export interface ClusterMachine {
  /** How the other machines reach this machine: an IP address or a host name. */
  address: string
  /** The cluster's drivers, overridden by the machine's own. */
  drivers: Drivers
}
