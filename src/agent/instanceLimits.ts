export interface InstanceLimits {
  /** Interval between probes of a ready instance. */
  readyProbeMs: number
  /**
   * Least average time between two probes of healthy instances on this machine; probes of many instances are spread
   * out.
   */
  apartMs: number
  /**
   * Ready instances are probed together, at multiples of this: waking up costs an idle agent more than the probe does.
   */
  togetherMs: number
  /** Interval between attempts to reach a port that is still closed while the instance starts. */
  closedProbeMs: number
  /** Number of consecutive failed probes that take an instance out of traffic. */
  misses: number
  /** How long an instance must be healthy to count as stable again. */
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

/**
 * Delay before the next probe of a ready instance, one of `crowd`, together with the others. After a failed probe it is
 * short.
 */
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
