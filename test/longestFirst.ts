import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Starts the longest files first, so that no worker waits for one that began last. Vitest orders files that it has not
 * run before by their size, which says little about a file that boots machines.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files)
    return bySize.toSorted((one, other) => rank(one.moduleId) - rank(other.moduleId))
  }
}

/** Files of minutes, longest first, by the beginning of their path; then all others. */
const longest = [
  'test/lab/upgradePair',
  'test/lab/onePair',
  'test/lab/addressPair',
  'test/lab/',
  'test/long/',
  'test/system/',
]

function rank(file: string): number {
  const found = longest.findIndex((beginning) => file.includes(`/${beginning}`))
  return found === -1 ? longest.length : found
}
