/**
 * Every error code that people can meet: the exit status of the command line, the HTTP status of the API, and what it
 * means. `docs/errors.md` lists the same; a test keeps both equal.
 */
export const errorCodes = {
  E_USAGE: { exit: 2, status: 400, means: 'the command or request is not of a form Tandem knows' },
  E_DEFINITION: { exit: 2, status: 422, means: 'a definition file has errors; each is shown with its line' },
  E_BUILD: { exit: 1, status: 500, means: 'the build or test command failed; nothing was published' },
  E_RELEASE_CONTENT: { exit: 2, status: 422, means: 'the folder holds something a release may not hold' },
  E_RELEASE_CORRUPT: { exit: 1, status: 500, means: 'stored content does not match its hash' },
  E_RELEASE_GONE: { exit: 4, status: 404, means: 'that release is not in the store (any more)' },
  E_STORE_FULL: {
    exit: 4,
    status: 507,
    means: 'the release store has reached its byte cap and nothing may be collected',
  },
  E_ROLLOUT_IN_PROGRESS: { exit: 4, status: 409, means: 'another rollout of this service runs; the message names it' },
  E_NO_SUCH_ROLLOUT: { exit: 4, status: 404, means: 'no rollout has that id' },
  E_ROLLOUT_OVER: { exit: 4, status: 409, means: 'that rollout has ended, or already goes back' },
  E_NO_SUCH_SERVICE: { exit: 4, status: 404, means: 'no service has that name' },
  E_NO_OTHER_RELEASE: { exit: 4, status: 409, means: 'there is no other completed release to go back to' },
  E_NO_SUCH_MACHINE: { exit: 4, status: 404, means: 'no machine of the cluster has that name' },
  E_NO_MACHINE_REACHABLE: { exit: 4, status: 409, means: 'every machine this would change is lost' },
  E_ROUTE_TAKEN: { exit: 4, status: 409, means: 'another service holds that host and path, or that port' },
  E_OUTAGE: { exit: 4, status: 409, means: 'a replace would leave no ready instance; --allow-outage permits it' },
  E_MACHINE_BUSY: { exit: 4, status: 409, means: 'a machine operation is in progress; there is one at a time' },
  E_LAST_INSTANCE: { exit: 4, status: 409, means: 'it would take the last ready instance of a service out of traffic' },
  E_EXEC: { exit: 1, status: 422, means: 'the program of an instance cannot be executed on this machine' },
  E_INSTANCE_RUNNING: { exit: 4, status: 409, means: 'an instance of that id is running already' },
} as const satisfies Record<string, { exit: number; status: number; means: string }>

export type ErrorCode = keyof typeof errorCodes
