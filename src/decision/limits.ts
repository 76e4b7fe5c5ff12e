/** The named limits of deciding, in milliseconds. docs/operations.md lists them with the case that decided each. */
export const limits = {
  /** A machine that has not reported for this long is `lost`. */
  silenceMs: 10_000,
  /** A machine whose reports (every 2 s) have stopped for this long has fallen silent. */
  quietMs: 4_500,
  /** Time for a driver to apply a requested change. */
  acknowledgeMs: 10_000,
  /** After a start, nothing is decided by time until every machine has reported, or until this time has passed. */
  settleAfterStartMs: 10_000,
  /** Time for a release to reach every machine: 10 minutes is a gigabyte over a slow office line. */
  fetchMs: 600_000,
  /** Time, beyond that for fetching, to fill in and check the files of a release: a check may start the whole program. */
  renderMs: 300_000,
  /**
   * Time for the one-off `prepare`: a migration of a large table is slow; one that hangs must not block the service for
   * a day.
   */
  prepareMs: 1_800_000,
  /** Added to a definition's own `within`: time for the agent's report to arrive. */
  graceMs: 10_000,
  /** Time for a machine to restart and report again: servers with much memory test it for minutes. */
  restartMs: 900_000,
  /** Time that requests are held while a `replace` has no instance. */
  holdMs: 30_000,
  /**
   * Time for a script that takes a machine out of an external balancer: such a balancer drains for up to five minutes.
   */
  releaseScriptMs: 370_000,
  /** Time after which machines that held one address at once, and reach each other, count as settled. */
  settleAddressMs: 10_000,
  /**
   * Time, beyond the silence that VRRP waits for, in which a machine that may take the address again takes and reports
   * it.
   */
  contestedAgainMs: 2_000,
  /** Both machines must have been healthy for this long before an address returns to its preferred machine. */
  returnAfterMs: 10_000,
  /** Time for a returning address to arrive. */
  returnMs: 15_000,
  /**
   * At most one return in this time: a machine that fails under load would take the address with it again and again.
   */
  returnAgainMs: 600_000,
  /** Rounds of deciding after one command; more is a bug. */
  advanceRounds: 1_000,
} as const
