import { defaultLimits, type BalancerLimits } from '../limits.ts'
import type { Room } from './openFiles.ts'

/** Bounds that only HAProxy needs, beside those every balancer has. */
export interface HaproxyLimits extends BalancerLimits {
  /** Old workers that may live on with their connections; HAProxy ends the oldest beyond it. */
  oldWorkers: number
  /** One command to HAProxy must be answered within this. */
  commandMs: number
  /** A new worker must have taken over within this. */
  reloadMs: number
  /** How often statistics are read while something drains. */
  watchMs: number
  /** How old they may be when they are asked for otherwise. */
  restMs: number
  /** Names of other machines must be looked up within this. */
  lookupMs: number
  /** How often certificates are looked at, changed or not; and while they could not be brought. */
  certificatesMs: number
  certificatesAgainMs: number
  /** Local instances and peers are tried this often: when well, and when something has just failed. */
  checkMs: number
  failedCheckMs: number
}

export const haproxyLimits: HaproxyLimits = {
  ...defaultLimits,
  oldWorkers: 1_000,
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

/** What the written configuration depends on besides the plan. Everything here is the same from one agent's run to the next. */
export interface HaproxySettings {
  machine: string
  /** What entries are bound to. */
  host: string
  httpPort: number
  https: { port: number; certificates: string } | null
  forward: { host: string; port: number }
  files: HaproxyFiles
  /** HAProxy's own user and group; `null`: whoever starts it. */
  user: string | null
  /** Changes with the content of every certificate, so that a renewed one is a changed shape. */
  certificatesHash: string
  limits: HaproxyLimits
  room: Room
  /** Networks whose word about a client is believed. */
  trustedProxies: readonly string[]
}

/** Absolute paths. */
export interface HaproxyFiles {
  config: string
  script: string
  /** Loaded by each thread for itself. */
  bodyScript: string
  /** Certificate and key of this machine, for both directions. */
  machine: string
  authority: string
  /** Machines that may forward to this one; changed at run time. */
  machines: string
  /** Backends whose requests are held, and for how many ms; changed at run time. */
  holds: string
  /** Instances that are being stopped, and the reason that their clients are given; changed at run time. */
  stopped: string
  master: string
  /** Sockets of HAProxy's own: it hands work to itself through them. */
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
