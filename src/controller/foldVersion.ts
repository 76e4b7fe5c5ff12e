/**
 * Version of the fold: from the SHA-256 of all snapshots of the logs in `testing/foldedLogs.ndjson`. A controller
 * ignores the snapshots of other versions. A test compares it, so a fold that gives another state needs another version.
 * If a change of the fold leaves the version as it is, add the events that show the change to that file.
 */
export const foldVersion = 'e677146450d69e69'
