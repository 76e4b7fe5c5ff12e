import { z } from 'zod'
import type { OwnFolders } from '../../releases/releaseFolders.ts'
import * as shape from '../instanceShape.ts'
import { noArguments, operation, type Operations } from '../operation.ts'

const releases = z.array(shape.releaseShape).max(10_000)

/** An answer is short; the others are named once these came. */
const mostDamaged = 1_000

/** Folders of releases, made from the objects that the agent has fetched, each of which is verified. */
export const releaseOperations = (folders: OwnFolders): Operations => ({
  'release.make': operation(
    z.strictObject({ release: shape.releaseShape, verify: z.boolean() }),
    async ({ release, verify }) => {
      const made = await folders.make(release, { verify })
      return 'damaged' in made ? { damaged: made.damaged.slice(0, mostDamaged) } : made
    },
  ),
  'release.bytes': operation(noArguments, async () => Object.fromEntries(await folders.bytes())),
  'release.keepOnly': operation(z.strictObject({ releases, damaged: releases }), (kept) =>
    folders.keepOnly({ releases: new Set(kept.releases), damaged: new Set(kept.damaged) }),
  ),
})
