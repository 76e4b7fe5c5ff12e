/**
 * What an instance may do beyond the default jail (docs/jail.md), each a key of the definition's `jail:`. Without any, it
 * reads the system and its release, writes its data folder and its own /tmp, and talks over the network.
 */
export interface Jail {
  /** More folders that it may write, absolute; owned so that it can. */
  write?: string[]
  /** Capabilities it keeps, such as CAP_NET_BIND_SERVICE. */
  capabilities?: string[]
  /** Devices it may use, such as /dev/fuse; its /dev is then the machine's. */
  devices?: string[]
  /** More address families than AF_INET, AF_INET6 and AF_UNIX, such as AF_NETLINK. */
  addressFamilies?: string[]
  /** More system calls or groups of them than @system-service, such as @mount. */
  systemCalls?: string[]
  /** It may make namespaces, as browsers and build tools do for their own sandbox. */
  namespaces?: boolean
  /** It sees the machine's other processes and all of /proc. */
  seeProcesses?: boolean
  /** It runs as this existing user of the machine rather than one made for it. */
  user?: string
  /** A further restriction: no memory that is writable and executable. Breaks what compiles as it runs, such as Node and Java. */
  denyWriteExecute?: boolean
}
