/** A cluster file after parsing: every default filled in. */
export interface ClusterDefinition {
  cluster: string
  /** Where the controllers answer, as `host:port`; an IPv6 address stands in brackets. */
  controllers: string[]
  machines: Record<string, ClusterMachine>
  entry: {
    http: number
    https: number
    /** Folder of certificates, as written; `null`: no https. */
    certificates: string | null
    /** Networks of balancers in front (`10.0.0.0/8`): what they say of the client is believed. */
    trustedProxies: string[]
  }
  /** Virtual addresses: none, one, or two. */
  addresses: string[]
  /** How often whoever holds one of them says so, in ms. */
  advert: number
  drivers: Drivers
}

export interface ClusterMachine {
  /** How the other machines reach it: an IP address or a host name. */
  address: string
  /** The cluster's drivers with the machine's own over them. */
  drivers: Drivers
}

export interface Drivers {
  supervisor: 'systemd' | 'process'
  balancer: 'haproxy' | 'embedded'
  address: 'keepalived' | 'command' | 'none'
}
