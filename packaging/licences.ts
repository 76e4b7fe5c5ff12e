import type { BundledPackage } from './bundledPackages.ts'

const rule = `${'='.repeat(100)}\n`

/** All third-party code in the bundle, with its licences. */
export function thirdPartyLicences(packages: readonly BundledPackage[]): string {
  const parts = packages.map(
    ({ name, version, licence, licenceText }) => `${rule}${name} ${version} (${licence})\n\n${licenceText}\n\n`,
  )
  return `lib/ holds code of the packages below, each under its own licence. Node itself: LICENSE.node.\n\n${parts.join('')}`
}

/** Debian's copyright file, in its machine-readable form 1.0. */
export const debianCopyright = (
  packages: readonly BundledPackage[],
): string => `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Tandem

Files: *
Copyright: The Tandem authors
License: Apache-2.0
 The whole text is in /usr/lib/tandem/LICENSE.

Files: usr/lib/tandem/bin/node
Copyright: Node.js contributors, and those named in its licence file
License: Expat and others
 The whole text is in /usr/lib/tandem/LICENSE.node.

Files: usr/lib/tandem/lib/*
Copyright: The Tandem authors, and those of the packages in the bundle
License: Apache-2.0 and ${[...new Set(packages.map(({ licence }) => licence))].sort().join(' and ')}
 Each package and the whole text of its licence is in
 /usr/lib/tandem/LICENSE.packages.
`
