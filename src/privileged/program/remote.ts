import { ReleaseCache } from '../../releases/releaseCache.ts'
import type { ProgramHost } from '../../versions/programHost.ts'
import { longMs, noAnswer as none } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

/** `store` is the folder of fetched releases, from which the privileged helper copies and verifies. */
export const remotePrograms = (call: CallPrivileged, store: string): ProgramHost => ({
  prepare: async ({ key, release, version }, source, signal, order) => {
    if (release !== null) {
      const cache = await ReleaseCache.open(store)
      await cache.fetch(release, source, { signal })
      await cache.collect(() => ({ keep: new Set([release]), lastPerService: 1, capBytes: null }))
    }
    await call('program.prepare', { key, release, version, order }, none, longMs)
  },
  begin: async ({ key, release, version }, order) =>
    void (await call('program.begin', { key, release, version, order }, none)),
  resume: async () => void (await call('program.resume', {}, none)),
  changeParts: async () => void (await call('program.parts', {}, none)),
  confirm: async (key) => void (await call('program.confirm', { key }, none)),
  fail: async ({ key, reason }) => void (await call('program.fail', { key, reason }, none)),
})
