import { sha256 } from '../src/lib/hash.ts'
import type { Architecture } from './architecture.ts'
import type { BundledPackage } from './bundledPackages.ts'
import type { Program } from './program.ts'

interface Inside {
  program: Program
  architecture: Architecture
  /** Date in seconds since 1970. */
  date: number
  packages: readonly BundledPackage[]
  node: { version: string; sha256: string }
}

/** The content as CycloneDX 1.6 JSON (ECMA-424): the packages whose code is in the bundle, and Node. */
export function billOfMaterials({ program, architecture, date, packages, node }: Inside): string {
  const { name, version, license } = program
  const self = `pkg:generic/${name}@${version}`
  const components = [
    ...packages.map((one) => ({
      type: 'library',
      'bom-ref': packageUrl(one),
      ...nameAndGroup(one.name),
      version: one.version,
      licenses: [licenceChoice(one.licence)],
      purl: packageUrl(one),
    })),
    {
      type: 'platform',
      'bom-ref': `pkg:generic/node@${node.version}`,
      name: 'node',
      version: node.version,
      description: `bin/node for Linux on ${architecture.name}; the licences of what is inside it are in LICENSE.node`,
      hashes: [{ alg: 'SHA-256', content: node.sha256 }],
      licenses: [licenceChoice('MIT')],
      purl: `pkg:generic/node@${node.version}`,
    },
  ]
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(date * 1000).toISOString(),
      component: {
        ...{ type: 'application', 'bom-ref': self, name, version, purl: self },
        licenses: [licenceChoice(license)],
      },
    },
    components,
    dependencies: [{ ref: self, dependsOn: components.map((one) => one['bom-ref']) }],
  }
  // Derived from the content, so the same bill has the same number anywhere.
  return `${JSON.stringify({ ...bill, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(bill))}` }, null, 2)}\n`
}

const packageUrl = ({ name, version }: BundledPackage): string => `pkg:npm/${name.replace('@', '%40')}@${version}`

function nameAndGroup(full: string): { group?: string; name: string } {
  const [group, name] = full.split('/')
  return group !== undefined && name !== undefined ? { group, name } : { name: full }
}

const licenceChoice = (spdx: string): object =>
  /^[\w.+-]+$/.test(spdx) ? { license: { id: spdx } } : { expression: spdx }

/** A UUID of version 8 (RFC 9562), whose bits the application chooses. */
function uuidOf(text: string): string {
  const hex = sha256(text)
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-')
}
