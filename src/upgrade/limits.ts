export const limits = {
  /**
   * Time for every part to fetch the new program, counted from the start of the upgrade, and again after a start of the
   * controller or a clock jump.
   */
  fetchMs: 15 * 60_000,
  /** Time for one part: longer than its machine takes to try the new program (`trialMs`) and return on its own. */
  turnMs: 120_000,
} as const
