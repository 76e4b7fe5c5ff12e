/** The named limits of deciding, in milliseconds. docs/operations.md lists them with the case that decided each. */
export const limits = {
  /** A machine that has not reported for this long is `lost`. */
  silenceMs: 10_000,
  /** A machine whose reports (every 2 s) have stopped for this long has fallen silent. */
  quietMs: 4_500,
  /** A driver must have applied what was asked by then. */
  acknowledgeMs: 10_000,
  /** After a start, nothing is decided by time before every machine has reported, or this long. */
  settleAfterStartMs: 10_000,
  /** A release must be on every machine by then: 10 minutes is a gigabyte over a slow office line. */
  fetchMs: 600_000,
  /** The one-off `prepare`: a migration of a large table is slow; one that hangs must not block the service for a day. */
  prepareMs: 1_800_000,
  /** Beyond a definition's own `within`: time for the agent's report to arrive. */
  graceMs: 10_000,
  /** A machine that restarts must be back by then: servers with much memory test it for minutes. */
  restartMs: 900_000,
  /** Requests held while a `replace` has no instance. */
  holdMs: 30_000,
  /** A script that takes a machine out of a balancer outside: such a balancer drains for up to five minutes. */
  releaseScriptMs: 370_000,
  /** Machines that held one address at once must have reached each other so long after that was seen. */
  settleAddressMs: 10_000,
  /** Who was free to take it again has done so, and said so, by then: beyond the silence that VRRP waits for. */
  contestedAgainMs: 2_000,
  /** Both machines must have been well for so long before an address goes back to the one it prefers. */
  returnAfterMs: 10_000,
  /** It must have arrived by then. */
  returnMs: 15_000,
  /** At most one return in this time: a machine that fails under load would take the address with it again and again. */
  returnAgainMs: 600_000,
  /** Rounds of deciding after one command; more is a bug. */
  advanceRounds: 1_000,
} as const
