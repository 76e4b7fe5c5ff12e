/**
 * Every error code that users can meet: the exit status of the command line, the HTTP status of the API, and the
 * meaning. `docs/errors.md` lists the same codes; a test keeps both equal.
 */
export const errorCodes = {
  E_USAGE: { exit: 2, status: 400, means: 'the command or request has an unknown form' },
  E_DEFINITION: { exit: 2, status: 422, means: 'a definition file has errors; each is shown with its line' },
  E_IN_USE: { exit: 4, status: 409, means: 'other services use what this change would take away' },
  E_NAMES: { exit: 1, status: 500, means: 'the hosts file cannot hold the names of services' },
  E_REQUIREMENTS: { exit: 4, status: 422, means: 'a machine lacks something that the release requires' },
  E_USES: { exit: 4, status: 422, means: 'a definition uses a service in a way that the service does not offer' },
  E_BUILD: { exit: 1, status: 500, means: 'the build or test command failed; nothing was published' },
  E_RELEASE_CONTENT: { exit: 2, status: 422, means: 'the folder contains something that a release may not contain' },
  E_RELEASE_CORRUPT: { exit: 1, status: 500, means: 'stored content does not match its hash' },
  E_RELEASE_GONE: { exit: 4, status: 404, means: 'the release is not in the store, or no longer' },
  E_RELEASE_INCOMPLETE: {
    exit: 1,
    status: 409,
    means:
      'an object arrived before the objects it refers to, or these were lost meanwhile; publishing again sends them',
  },
  E_STORE_FULL: {
    exit: 4,
    status: 507,
    means: 'the release store has no room: its byte cap is reached and nothing can be collected, or its disk is full',
  },
  E_ROLLOUT_IN_PROGRESS: {
    exit: 4,
    status: 409,
    means: 'another rollout of this service is in progress; the message names it',
  },
  E_NO_SUCH_ROLLOUT: { exit: 4, status: 404, means: 'no rollout has this id' },
  E_ROLLOUT_OVER: { exit: 4, status: 409, means: 'the rollout has ended, or is already rolling back' },
  E_NO_SUCH_SERVICE: { exit: 4, status: 404, means: 'no service has this name' },
  E_NO_OTHER_RELEASE: { exit: 4, status: 409, means: 'there is no other completed release to roll back to' },
  E_NO_SUCH_MACHINE: { exit: 4, status: 404, means: 'no machine of the cluster has this name' },
  E_OTHER_CLUSTER: { exit: 4, status: 409, means: 'the file or the certificate belongs to another cluster' },
  E_JOIN_REFUSED: {
    exit: 4,
    status: 403,
    means: 'the join token is unknown, used or expired, or the token names another controller',
  },
  E_OTHER_AUTHORITY: {
    exit: 4,
    status: 403,
    means:
      'the certificate of the controller is not signed by the authority with this fingerprint; nothing was sent to the controller',
  },
  E_NO_AUTHORITY: {
    exit: 4,
    status: 409,
    means: 'this controller has no authority: the cluster was not made by `tandem controller init`',
  },
  E_NO_MACHINE_REACHABLE: { exit: 4, status: 409, means: 'every machine that the command would change is lost' },
  E_ROUTE_TAKEN: { exit: 4, status: 409, means: 'another service already uses this host and path, or this port' },
  E_EXPOSE_UNSAID: {
    exit: 4,
    status: 409,
    means: 'the rollout would close a port that is public today, and the definition does not set `expose`',
  },
  E_OUTAGE: { exit: 4, status: 409, means: 'a replace would leave no ready instance; --allow-outage permits this' },
  E_UNDONE: { exit: 1, status: 409, means: 'another request undid this one before its state was reached' },
  E_MACHINE_BUSY: { exit: 4, status: 409, means: 'a machine operation is in progress; only one may run at a time' },
  E_MACHINE_LOST: { exit: 4, status: 409, means: 'the machine does not report, so Tandem cannot change it' },
  E_CANNOT_MAINTAIN: {
    exit: 4,
    status: 409,
    means: 'the agent of the machine cannot do maintenance: it does not run as root under systemd',
  },
  E_JAIL: {
    exit: 1,
    status: 403,
    means: 'a service requests more rights than this machine allows; `next` contains the line that allows them',
  },
  E_ORDER: {
    exit: 1,
    status: 403,
    means: 'the privileged helper of a machine rejected a request that the controller has not signed',
  },
  E_NO_MAINTENANCE: { exit: 4, status: 409, means: 'there is no maintenance to resume' },
  E_MAINTENANCE: { exit: 1, status: 500, means: 'the maintenance stopped before every machine was done' },
  E_LAST_INSTANCE: {
    ...{ exit: 4, status: 409 },
    means:
      'the command would stop something that no other machine can take over: the last ready instance of a service, or the holder of a virtual address',
  },
  E_UPGRADE_IN_PROGRESS: {
    exit: 4,
    status: 409,
    means: 'an upgrade of Tandem itself is in progress; only one may run at a time',
  },
  E_NOT_UPGRADABLE: {
    exit: 4,
    status: 409,
    means: 'a part of Tandem does not run in its own systemd unit, or the versions are too far apart to work together',
  },
  E_EXEC: { exit: 1, status: 422, means: 'the program of an instance cannot be executed on this machine' },
  E_INSTANCE_RUNNING: { exit: 4, status: 409, means: 'an instance with this id is already running' },
  E_LOG_NEWER: { exit: 1, status: 500, means: 'a newer version of Tandem wrote the event log; nothing was changed' },
  E_LOG_LOCKED: { exit: 4, status: 409, means: 'another controller has this event log open' },
  E_LOG_BEHIND: {
    exit: 4,
    status: 409,
    means: 'a machine has seen events that this event log lacks: the log was restored or forked',
  },
  E_LOG_UNWRITABLE: {
    exit: 1,
    status: 503,
    means:
      'the controller cannot write the event log or its list of tokens (disk full, or read-only); nothing was changed, services continue',
  },
  E_LOG_MOVED: { exit: 1, status: 500, means: 'another controller has written to the event log' },
  E_CONTROLLER_UNREACHABLE: { exit: 3, status: 503, means: 'the controller does not answer' },
  E_CONTACT_LOST: {
    exit: 3,
    status: 503,
    means: 'the connection to the controller was lost during a rollout; the rollout continues',
  },
  E_NO_CONTEXT: { exit: 2, status: 400, means: 'the command names no cluster, and there is no current context' },
  E_UNAUTHORIZED: { exit: 4, status: 401, means: 'the request needs a token, but has none' },
  E_TOKEN_UNKNOWN: { exit: 4, status: 401, means: 'the token is unknown, or was revoked' },
  E_SESSION_ENDED: { exit: 4, status: 401, means: 'the session of the browser has ended' },
  E_LINK_REFUSED: { exit: 4, status: 403, means: 'the link to the page was used already, has expired, or is unknown' },
  E_FORBIDDEN: { exit: 4, status: 403, means: 'the token does not permit this request' },
  E_NOT_YET: { exit: 1, status: 504, means: 'the change was written, but the requested state was not reached in time' },
  E_BEYOND_LOG: {
    exit: 4,
    status: 409,
    means:
      'the position is beyond the end of this event log: it never existed, or the log was restored from an older backup',
  },
  E_PAST_BUSY: {
    exit: 4,
    status: 429,
    means: 'the controller computes as many states of the past as it takes on at a time; try again',
  },
  E_NO_SUCH_STREAM: { exit: 4, status: 404, means: 'the stream has ended, or belongs to another session' },
  E_TOO_MANY_TAILS: {
    exit: 4,
    status: 409,
    means: 'the stream carries as many tails of logs as it may, or the machine sends as many logs as it may',
  },
  E_INSTANCE_STOPPED: {
    exit: 4,
    status: 409,
    means: 'the instance does not run, or it stopped, which ends everything that a person runs beside it',
  },
  E_NOT_LISTENING: { exit: 4, status: 409, means: 'the instance does not listen on this port' },
  E_TOO_MANY_ACCESSES: { exit: 4, status: 409, means: 'as many shells, commands and forwards are open as may be' },
  E_NO_SUCH_INSTANCE: { exit: 4, status: 404, means: 'no instance has this id' },
  E_AMBIGUOUS: { exit: 2, status: 400, means: 'an abbreviated id matches several' },
  E_MACHINE_UNREACHABLE: { exit: 4, status: 504, means: 'the machine that must answer is not connected' },
  E_NO_ABILITY: {
    exit: 4,
    status: 409,
    means: 'the version of Tandem on a machine or of the controller does not support this yet; upgrade Tandem',
  },
  E_OUTPUT_CUT: { exit: 1, status: 500, means: 'the output of a command is not complete' },
  E_ROLLOUT_FAILED: { exit: 1, status: 500, means: 'the rollout ended reverted or aborted' },
  E_NOT_FOUND: { exit: 2, status: 404, means: 'the API has no such path' },
  E_METHOD: {
    exit: 2,
    status: 405,
    means: 'this path of the API does not support the method; `Allow` lists the supported methods',
  },
  E_FOREIGN_HOST: {
    exit: 2,
    status: 421,
    means: 'a request without a token named a host that is not this computer; it may come from a web page in a browser',
  },
  E_FOREIGN_SITE: { exit: 4, status: 403, means: 'another site made a browser send a request to the controller' },
  E_TOO_LARGE: { exit: 2, status: 413, means: 'the request is larger than its limit' },
  E_DATA_LOCKED: { exit: 4, status: 409, means: 'another tandem process uses this data folder' },
  E_PORT_TAKEN: { exit: 4, status: 409, means: 'another process listens on this port' },
  E_BALANCER_REFUSES: {
    exit: 1,
    status: 500,
    means: 'HAProxy refuses the configuration that Tandem wrote; HAProxy continues with the former one',
  },
  E_ADDRESS_DRIVER: {
    exit: 1,
    status: 500,
    means:
      'Tandem cannot move virtual addresses on this machine: keepalived is missing or refuses its configuration, or a script failed',
  },
  E_FIREWALL: { exit: 1, status: 500, means: 'a machine cannot hold the rules of who may connect to which service' },
  E_FILE_EXISTS: { exit: 4, status: 409, means: 'the file already exists and is not overwritten' },
  E_NO_SUCH_SECRET: { exit: 4, status: 404, means: 'there is no such secret, version or field' },
  E_SECRET_CHANGED: { exit: 4, status: 409, means: 'the secret is not in the version that the command expects' },
  E_SECRET_TOO_LARGE: {
    exit: 2,
    status: 413,
    means: 'a value has more than 64 KiB, or a secret more than 850,000 bytes',
  },
  E_SECRET_LOST: { exit: 1, status: 500, means: 'the stored value of a secret is missing or damaged' },
  E_BACKUP: { exit: 4, status: 422, means: 'a backup does not open with this key, or is damaged' },
  E_BACKUP_RUNNING: { exit: 4, status: 409, means: 'another backup is being sent; only one is at a time' },
  E_SHARE: { exit: 4, status: 422, means: 'a share of the root key is not one of this cluster, or was given already' },
  E_SEALED: {
    exit: 4,
    status: 503,
    means: 'the controller does not have the root key, without which it cannot read a secret',
  },
  E_NO_RECOVERY: {
    exit: 4,
    status: 409,
    means: 'nobody could open a backup of the secrets: the cluster file names no key for that',
  },
  E_SECRETS_MODE: { exit: 1, status: 500, means: 'other users can read a secrets file; it must have mode 0600' },
  E_ENVIRONMENT: { exit: 1, status: 500, means: 'something outside Tandem failed: a file, a disk, a child process' },
  E_BUG: { exit: 70, status: 500, means: 'a bug in Tandem' },
} as const satisfies Record<string, { exit: number; status: number; means: string }>

export type ErrorCode = keyof typeof errorCodes
