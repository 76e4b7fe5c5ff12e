export const limits = {
  /** For every part to have the new program, from the start of the upgrade, and anew after a start of the controller or a clock jump. */
  fetchMs: 15 * 60_000,
  /** For one part: longer than its machine tries the new program by itself (`trialMs`), and goes back. */
  turnMs: 120_000,
} as const
