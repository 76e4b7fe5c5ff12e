import { defaultLimits, type BalancerLimits } from '../limits.ts'
import type { ConnectionLimit } from './openFiles.ts'

/** Limits that only HAProxy needs, besides the limits of every balancer. */
export interface HaproxyLimits extends BalancerLimits {
  /** Number of old workers that may live on with their connections; HAProxy ends the oldest beyond this number. */
  oldWorkers: number
  /** Longest time that an old worker is kept only because its last counts were not read. */
  oldWorkerMs: number
  /** Longest interval between readings of an old worker that still has work. */
  oldWorkerReadMs: number
  /** Timeout for the answer to one command to HAProxy. */
  commandMs: number
  /** Timeout for a new worker to take over. */
  reloadMs: number
  /** Interval at which statistics are read while an instance drains. */
  watchMs: number
  /** Maximum age of statistics when a caller requests them at other times. */
  restMs: number
  /** Timeout for the lookup of names of other machines. */
  lookupMs: number
  /** Interval at which certificates are checked, changed or not; and the interval while they cannot be copied. */
  certificatesMs: number
  certificatesAgainMs: number
  /** Interval of the checks of local instances and peers: while healthy, and right after a failure. */
  checkMs: number
  failedCheckMs: number
}

export const haproxyLimits: HaproxyLimits = {
  ...defaultLimits,
  oldWorkers: 1_000,
  oldWorkerMs: 600_000,
  oldWorkerReadMs: 2_000,
  commandMs: 5_000,
  reloadMs: 8_000,
  watchMs: 50,
  restMs: 5_000,
  lookupMs: 3_000,
  certificatesMs: 3_600_000,
  certificatesAgainMs: 60_000,
  checkMs: 2_000,
  failedCheckMs: 200,
}

/**
 * The inputs of the written configuration besides the plan. All of them stay the same from one run of the agent to the
 * next.
 */
export interface HaproxySettings {
  machine: string
  /** Address of the entries. */
  host: string
  httpPort: number
  https: { port: number; certificates: string } | null
  forward: { host: string; port: number }
  files: HaproxyFiles
  /** User and group of HAProxy; `null`: the user who starts it. */
  user: string | null
  /** Changes with the content of every certificate, so that a renewed certificate changes the shape. */
  certificatesHash: string
  limits: HaproxyLimits
  room: ConnectionLimit
  /** Networks whose information about a client is trusted. */
  trustedProxies: readonly string[]
}

/** Absolute paths. */
export interface HaproxyFiles {
  config: string
  script: string
  /** Each thread loads its own copy. */
  bodyScript: string
  /** Certificate and key of this machine, for both directions. */
  machine: string
  authority: string
  /** Machines that may forward to this one; changed at run time. */
  machines: string
  /** Backends whose requests are held, and for how many ms; changed at run time. */
  holds: string
  /** Instances that are being stopped, and the reason for their clients; changed at run time. */
  stopped: string
  master: string
  /** HAProxy's own sockets, through which it hands work to itself. */
  run: string
}

export function haproxyFiles(dir: string, runDir: string): HaproxyFiles {
  return {
    config: `${dir}/haproxy.cfg`,
    script: `${dir}/hold.lua`,
    bodyScript: `${dir}/body.lua`,
    machine: `${dir}/machine.pem`,
    authority: `${dir}/authority.pem`,
    machines: `${dir}/machines.lst`,
    holds: `${dir}/holds.map`,
    stopped: `${dir}/stopped.map`,
    master: `${runDir}/master.sock`,
    run: runDir,
  }
}
