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
  E_RELEASE_INCOMPLETE: {
    exit: 1,
    status: 409,
    means: 'an object came before what it refers to, or that was lost meanwhile; publishing again sends it',
  },
  E_STORE_FULL: {
    exit: 4,
    status: 507,
    means:
      'the release store has no room: its byte cap is reached and nothing may be collected, or the disk below it is full',
  },
  E_ROLLOUT_IN_PROGRESS: { exit: 4, status: 409, means: 'another rollout of this service runs; the message names it' },
  E_NO_SUCH_ROLLOUT: { exit: 4, status: 404, means: 'no rollout has that id' },
  E_ROLLOUT_OVER: { exit: 4, status: 409, means: 'that rollout has ended, or already goes back' },
  E_NO_SUCH_SERVICE: { exit: 4, status: 404, means: 'no service has that name' },
  E_NO_OTHER_RELEASE: { exit: 4, status: 409, means: 'there is no other completed release to go back to' },
  E_NO_SUCH_MACHINE: { exit: 4, status: 404, means: 'no machine of the cluster has that name' },
  E_OTHER_CLUSTER: { exit: 4, status: 409, means: 'the file or the certificate is of another cluster' },
  E_JOIN_REFUSED: {
    exit: 4,
    status: 403,
    means: 'the join token is unknown, used, or too old, or the controller is not the one it names',
  },
  E_OTHER_AUTHORITY: {
    exit: 4,
    status: 403,
    means: 'the controller was not signed by the authority with that fingerprint; nothing was sent to it',
  },
  E_NO_AUTHORITY: {
    exit: 4,
    status: 409,
    means: 'this controller has no authority of its own: it was not made by `tandem controller init`',
  },
  E_NO_MACHINE_REACHABLE: { exit: 4, status: 409, means: 'every machine this would change is lost' },
  E_ROUTE_TAKEN: { exit: 4, status: 409, means: 'another service holds that host and path, or that port' },
  E_EXPOSE_UNSAID: {
    exit: 4,
    status: 409,
    means: 'the rollout would close a port that is public today, and the definition does not say `expose`',
  },
  E_OUTAGE: { exit: 4, status: 409, means: 'a replace would leave no ready instance; --allow-outage permits it' },
  E_UNDONE: { exit: 1, status: 409, means: 'what was asked for was undone by somebody else before it was reached' },
  E_MACHINE_BUSY: { exit: 4, status: 409, means: 'a machine operation is in progress; there is one at a time' },
  E_MACHINE_LOST: { exit: 4, status: 409, means: 'the machine does not report, so nothing can be done on it' },
  E_CANNOT_MAINTAIN: {
    exit: 4,
    status: 409,
    means: 'the agent of that machine may not work on it: it is not root under systemd',
  },
  E_JAIL: {
    exit: 1,
    status: 403,
    means: 'a service asks for more than this machine allows it; `next` is the line that allows it',
  },
  E_ORDER: {
    exit: 1,
    status: 403,
    means: 'the root part of a machine was asked for what the controller has not signed',
  },
  E_NO_MAINTENANCE: { exit: 4, status: 409, means: 'there is no maintenance that could be resumed' },
  E_MAINTENANCE: { exit: 1, status: 500, means: 'maintenance stopped before every machine was done' },
  E_LAST_INSTANCE: {
    ...{ exit: 4, status: 409 },
    means:
      'it would take out of traffic what no other machine could do meanwhile: the last ready instance of a service, or holding a virtual address',
  },
  E_UPGRADE_IN_PROGRESS: {
    exit: 4,
    status: 409,
    means: 'Tandem itself is being upgraded; there is one upgrade at a time',
  },
  E_NOT_UPGRADABLE: {
    exit: 4,
    status: 409,
    means:
      'a part of Tandem is not run by a systemd unit of its own, or the versions are too far apart to work together',
  },
  E_EXEC: { exit: 1, status: 422, means: 'the program of an instance cannot be executed on this machine' },
  E_INSTANCE_RUNNING: { exit: 4, status: 409, means: 'an instance of that id is running already' },
  E_LOG_NEWER: { exit: 1, status: 500, means: 'the event log was written by a newer Tandem; nothing was changed' },
  E_LOG_LOCKED: { exit: 4, status: 409, means: 'another controller has this event log open' },
  E_LOG_BEHIND: {
    exit: 4,
    status: 409,
    means: 'a machine has seen more than this event log holds: it was restored or forked',
  },
  E_LOG_UNWRITABLE: {
    exit: 1,
    status: 503,
    means: 'the event log cannot be written (disk full, or read-only); nothing was changed, services go on',
  },
  E_LOG_MOVED: { exit: 1, status: 500, means: 'the event log changed under the controller: another one writes to it' },
  E_CONTROLLER_UNREACHABLE: { exit: 3, status: 503, means: 'the controller does not answer' },
  E_CONTACT_LOST: { exit: 3, status: 503, means: 'contact was lost while a rollout went on; it goes on without you' },
  E_NO_CONTEXT: { exit: 2, status: 400, means: 'no cluster was named and there is no current context' },
  E_UNAUTHORIZED: { exit: 4, status: 401, means: 'a token is needed, and none was sent' },
  E_TOKEN_UNKNOWN: { exit: 4, status: 401, means: 'the token that was sent is not known here, or was revoked' },
  E_FORBIDDEN: { exit: 4, status: 403, means: 'the token may not do this' },
  E_NOT_YET: { exit: 1, status: 504, means: 'the write happened; the state asked for has not been reached in time' },
  E_BEYOND_LOG: {
    exit: 4,
    status: 409,
    means:
      'that position is beyond the end of this event log: nothing was written there, or the log was restored from an older backup',
  },
  E_NO_SUCH_INSTANCE: { exit: 4, status: 404, means: 'no instance has that id' },
  E_AMBIGUOUS: { exit: 2, status: 400, means: 'an abbreviated id fits several' },
  E_MACHINE_UNREACHABLE: { exit: 4, status: 504, means: 'the machine that would answer this is not connected' },
  E_NO_ABILITY: { exit: 4, status: 409, means: 'the version of Tandem on a machine cannot do this yet; upgrade it' },
  E_OUTPUT_CUT: { exit: 1, status: 500, means: 'the output of a command is not complete' },
  E_ROLLOUT_FAILED: { exit: 1, status: 500, means: 'the rollout ended reverted or aborted' },
  E_NOT_FOUND: { exit: 2, status: 404, means: 'there is no such page in the API' },
  E_METHOD: { exit: 2, status: 405, means: 'that path of the API takes another method; `Allow` names those it takes' },
  E_FOREIGN_HOST: {
    exit: 2,
    status: 421,
    means: 'a call without a token named a host that is not this computer; it may come from a page in a browser',
  },
  E_TOO_LARGE: { exit: 2, status: 413, means: 'the request is larger than its limit' },
  E_DATA_LOCKED: { exit: 4, status: 409, means: 'another tandem uses this data folder' },
  E_PORT_TAKEN: { exit: 4, status: 409, means: 'something else listens on that port' },
  E_BALANCER_REFUSES: {
    exit: 1,
    status: 500,
    means: 'HAProxy refuses the configuration that Tandem wrote; the one before goes on',
  },
  E_ADDRESS_DRIVER: {
    exit: 1,
    status: 500,
    means: 'virtual addresses cannot be moved on this machine: keepalived is missing or refuses, or a script failed',
  },
  E_FILE_EXISTS: { exit: 4, status: 409, means: 'the file is there already and is not overwritten' },
  E_SECRETS_MODE: { exit: 1, status: 500, means: 'a secrets file can be read by others; it must have mode 0600' },
  E_ENVIRONMENT: { exit: 1, status: 500, means: 'something around Tandem failed: a file, a disk, a child process' },
  E_BUG: { exit: 70, status: 500, means: 'a bug in Tandem' },
} as const satisfies Record<string, { exit: number; status: number; means: string }>

export type ErrorCode = keyof typeof errorCodes
