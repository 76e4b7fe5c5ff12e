import { expect, it, onTestFinished } from 'vitest'
import { makeTestFolder } from '../../src/releases/releaseFixture.ts'
import { removeTree } from '../../src/releases/removeTree.ts'
import { compareRandomTrees } from '../../src/releases/testing/compareWithGit.ts'

const sets = Number(process.env['TANDEM_IGNORE_SETS'] ?? 1_000)
const seed = Number(process.env['TANDEM_SEED'] ?? Date.now() % 1_000_000)

it(`${sets} random trees of nested ignore files, seed ${seed}`, { timeout: 60_000 + sets * 500 }, async () => {
  const root = await makeTestFolder()
  onTestFinished(() => removeTree(root))
  expect(await compareRandomTrees(root, { sets, seed })).toMatchObject({ differ: {} })
})
