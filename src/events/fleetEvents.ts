import type { ClusterDefinition } from '../definitions/cluster.ts'
import type { Definition } from '../definitions/definition.ts'

/**
 * The origin of a report. Events caused by a report carry it, so that an older report is recognized also after a
 * restart.
 */
export interface ReportMark {
  boot: number
  seq: number
}

/** Where a machine can be reached. */
export interface Endpoints {
  /** The host under which other machines and users reach this one. */
  host: string
  http: number
  forward: number
  /** `/healthz` and `/metrics`. */
  metrics: number
}

/** The commit in git from which a release was published. */
export interface ReleaseSource {
  commit: string
  /** First line of its message, possibly shortened. */
  subject: string
  /** The folder had changes that are not in the commit. */
  dirty: boolean
}

export interface FleetEvents {
  /** The whole content of the applied `cluster.yaml`. */
  ClusterApplied: { cluster: ClusterDefinition }
  /**
   * The machine no longer belongs to the cluster: nothing is expected of it, and its certificates up to now are
   * refused.
   */
  MachineRemoved: { machine: string }
  MachineJoined: { machine: string; endpoints: Endpoints }
  MachineMoved: { machine: string; endpoints: Endpoints }
  MachineLost: { machine: string; silentMs: number }
  MachineReturned: { machine: string; mark: ReportMark }
  /**
   * `stop`: once the machine is drained, its instances are stopped too. `force: false`: only as long as no service is
   * interrupted.
   */
  MachineDrainStarted: { machine: string; stop?: boolean; force?: boolean }
  /** The other machines no longer forward to this one: from here its own balancer gives it no new work either. */
  MachineDrainStepped: { machine: string }
  MachineDrained: { machine: string; work: number }
  MachineReadied: { machine: string }
  ReleasePublished: {
    service: string
    release: string
    definition: Definition
    bytes: number
    source?: ReleaseSource
  }
  ReleasesCollected: { releases: string[] }
  InstanceStarted: { instance: string; machine: string; port: number | null; mark: ReportMark }
  InstanceReady: { instance: string; machine: string; port: number | null; mark: ReportMark }
  /**
   * `interrupted`: the machine or its agent restarted and is starting the instance again; the release is not at fault.
   */
  InstanceFailed: { instance: string; machine: string; reason: string; mark: ReportMark; interrupted?: boolean }
  /** Ready again and steady after a crash loop or missed probes. */
  InstanceRecovered: { instance: string; machine: string; mark: ReportMark }
  InstanceStopped: { instance: string; machine: string; mark: ReportMark }
}

declare module './event.ts' {
  interface EventData extends FleetEvents {}
}
