import { z } from 'zod'
import type { ObjectKey } from '../../releases/objectKey.ts'
import type { ReleaseFolders } from '../../releases/releaseFolders.ts'
import { longMs, noAnswer } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

const madeSchema = z.union([
  z.object({ folder: z.string() }),
  z.object({ damaged: z.array(z.string().transform((key) => key as ObjectKey)) }), // only objects are named
])

/**
 * Folders that the privileged helper makes. `former`: those that an agent made itself, before the helper did; units of
 * that time run in them until their releases go.
 */
export const remoteFolders = (call: CallPrivileged, former: ReleaseFolders): ReleaseFolders => ({
  make: (release, { verify }) => call('release.make', { release, verify }, madeSchema, longMs),
  bytes: async () => {
    const made = await call('release.bytes', {}, z.record(z.string(), z.number()))
    const all = new Map(await former.bytes())
    for (const [release, bytes] of Object.entries(made)) all.set(release, bytes + (all.get(release) ?? 0))
    return all
  },
  keepOnly: async (kept) => {
    const { releases, damaged } = kept
    await former.keepOnly(kept)
    await call('release.keepOnly', { releases: [...releases], damaged: [...damaged] }, noAnswer, longMs)
  },
})
