import type { HaproxyProcess } from '../../drivers/balancer/haproxy/haproxyProcess.ts'
import { noAnswer as none } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

/** `local` performs the operations that need no privileges. */
export const remoteHaproxy = (call: CallPrivileged, local: HaproxyProcess): HaproxyProcess => ({
  program: local.program,
  ensureStarted: async () => void (await call('haproxy.start', {}, none)),
  isRunning: () => local.isRunning(),
  isFailing: async () => (await local.isFailing?.()) ?? false,
  lastWords: () => local.lastWords(),
  end: () => local.end(),
})

export const copyCertificates = async (call: CallPrivileged): Promise<void> =>
  void (await call('haproxy.certificates', {}, none))
