export interface InstanceLimits {
  /** How often a ready instance is probed. */
  readyProbeMs: number
  /** So much time there is at least, on average, between two probes of well instances on this machine: they wait for their turn. */
  apartMs: number
  /** Ready instances are probed at multiples of this, together: waking up costs an idle agent more than the probe does. */
  togetherMs: number
  /** How often a port that is still closed is tried while the instance starts. */
  closedProbeMs: number
  /** This many misses in a row take it out of traffic. */
  misses: number
  /** How long it must be well to count as steady again. */
  steadyMs: number
  restart: { firstMs: number; mostMs: number }
}

export const instanceLimits: InstanceLimits = {
  readyProbeMs: 2_000,
  apartMs: 250,
  togetherMs: 1_000,
  closedProbeMs: 20,
  misses: 3,
  steadyMs: 10_000,
  restart: { firstMs: 500, mostMs: 30_000 },
}

/** Until a ready instance is asked again, one of `crowd`: its turn comes with the others'. One that missed is asked soon. */
export function readyProbeMs(
  isWell: boolean,
  crowd: number,
  elapsedMs: number,
  { readyProbeMs: usual, apartMs, togetherMs }: InstanceLimits,
): number {
  const step = Math.min(togetherMs, usual)
  const turnMs = isWell ? Math.ceil((crowd * apartMs) / step) * step : 0
  return Math.max(usual, turnMs) - (elapsedMs % step)
}
