import { join } from 'node:path'

/** Files that the administrator of the machine provides. */
export const configurationFolder = '/etc/tandem'
/** One `SERVICE.env` for each service. */
export const secretsFolder = join(configurationFolder, 'env')
/** PEM files for HTTPS. */
export const certificatesFolder = join(configurationFolder, 'certificates')
/** Lists the services that may have more than the harmless relaxations of the jail. Only root can write the file. */
export const permitsFile = join(configurationFolder, 'allowed-jail.yaml')

/** Default data folders. */
export const agentData = '/var/lib/tandem'
export const controllerData = '/var/lib/tandem-controller'

/** Folder of the services' data, below each of the next two. */
export const dataParent = 'tandem-data'
/** Holds the data itself, unless a service runs as a user of the machine. */
export const privateDataRoot = join('/var/lib/private', dataParent)
/** Holds links to the data; for a service that runs as a user of the machine, the data itself. */
export const dataRoot = join('/var/lib', dataParent)
/** Where services keep their data; systemd creates both folders. */
export const dataRoots = [privateDataRoot, dataRoot]

/** Folders in `/run`, gone after a reboot. Each process of Tandem writes only to its own; features add theirs. */
export const haproxyRunDir = '/run/tandem-haproxy'
export const agentRunDir = '/run/tandem-agent'
export const streamsFolder = '/run/tandem-streams'
/** Where a program finds its filled-in files: only the processes of its unit see them there. */
export const shownFiles = '/run/tandem-files'
const helperRunDir = '/run/tandem'
export const runFolders = [haproxyRunDir, agentRunDir, streamsFolder, helperRunDir, shownFiles]

/** Path of the socket on which systemd listens for the privileged helper. */
export const privilegedSocket = join(helperRunDir, 'privileged.sock')
/** The same for the controller's. A machine that leaves keeps it. */
export const controllerSocket = '/run/tandem-controller/privileged.sock'

/** Folder in which the Debian package installs the program. */
export const packageFolder = '/usr/lib/tandem'
