import { join } from 'node:path'

/** Folders in the data folder of a part that more than one part of Tandem uses. */

/** State of the privileged helper; only root can enter. */
export const privilegedFolder = (data: string): string => join(data, 'privileged')
/** Versions of Tandem that upgrades brought, and the progress of a trial; only root can write. */
export const programsFolder = (data: string): string => join(data, 'program')
/** Releases of Tandem as the agent fetched them, before the privileged helper has verified them. */
export const downloadFolder = (data: string): string => join(data, 'download')
/** Fetched releases of services. */
export const cacheFolder = (data: string): string => join(data, 'cache')
/** Folders in which releases of services run, made by the privileged helper: only root can change them. */
export const rootReleases = (data: string): string => join(privilegedFolder(data), 'cache')
/** Files that the agent writes for HAProxy. */
export const haproxyFolder = (data: string): string => join(data, 'haproxy')
/** Copies of the certificates for HTTPS, in which HAProxy finds them if it is not root. */
export const sharedCertificates = (data: string): string => join(data, 'certificates')
export const supervisorFolder = (data: string): string => join(data, 'supervisor')

/**
 * Entries that only the agent uses. No unit that continues to run without the agent needs them. Features add theirs.
 */
export const agentOnly = ['desired.json', 'desired-changes.json', 'boot.json', 'ports.json', 'jobs.json', 'self']
/** Entries of `privilegedFolder` that only the helper uses. Units that continue to run use the others. */
export const helperOnly = [
  'machine.json',
  'orders.json',
  'service-orders.json',
  'authority.pem',
  'helper-key.cred',
  'helper-key.new.cred',
  'secrets',
  'files',
  'started',
]
/** Entries that record that this machine has joined. */
export const joiningOnly = ['identity', 'joined.json']
