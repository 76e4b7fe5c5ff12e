/** The words and bounds of a definition, for the written and the stored form alike. */
export const listenKinds = ['http', 'tcp', 'none'] as const
export const exposures = ['public', 'local'] as const
export const strategies = ['overlap', 'replace'] as const
export const stopSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'] as const

/** Limit for routes, machines and environments: enough for a team, not for a cloud. */
export const mostEntries = 200

export const limitsOf = {
  instances: { least: 1, most: 100 },
  cpu: { least: 0.01, most: 1024 },
  tasks: { least: 1, most: 4_194_304 },
  /** No program starts in less. */
  memoryLeast: 4 * 1024 * 1024,
  bodyLeast: 1024,
  files: { least: 16, most: 1_048_576 },
  environmentEntries: 500,
} as const
/** Networks of the balancers in front of a cluster. */
export const mostTrustedProxies = 64
