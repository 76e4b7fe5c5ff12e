import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** A package of which some code is in the bundle. */
export interface BundledPackage {
  name: string
  version: string
  /** By its SPDX name. */
  licence: string
  licenceText: string
}

const schema = z.object({ name: z.string(), version: z.string(), license: z.string() })

/** For packages that name their licence and do not carry its text. */
const textsKeptHere: Record<string, string> = {
  '@stricli/core': 'LICENSE',
  'abstract-logging': 'packaging/licences/abstract-logging.txt',
}
/** Module names that the bundler makes up begin so; they are its own code. */
const bundlersOwn = '\0rolldown/'
const packageFolder = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/

/** The packages that `modules` (the bundler's ids) come from, sorted, each version once. Refuses one without a licence text. */
export function bundledPackages(root: string, modules: readonly string[]): BundledPackage[] {
  const found = new Map<string, BundledPackage>()
  for (const module of modules) {
    const folder = module.startsWith(bundlersOwn)
      ? join(root, 'node_modules/rolldown')
      : packageFolder.exec(module)?.[0]
    if (folder === undefined && module.startsWith(join(root, 'src'))) continue
    if (folder === undefined)
      throw new Error(`${JSON.stringify(module)} is in the bundle, and nobody knows whose it is`)
    const one = readPackage(root, folder)
    found.set(`${one.name} ${one.version}`, one)
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

function readPackage(root: string, folder: string): BundledPackage {
  const { name, version, license } = schema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
  const own = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
  const files = own.sort().map((file) => join(folder, file))
  const kept = textsKeptHere[name]
  if (files.length === 0 && kept !== undefined) files.push(join(root, kept))
  if (files.length === 0 || !files.every((file) => existsSync(file))) {
    throw new Error(`${folder} carries no licence text: find it, and name it in packaging/bundledPackages.ts`)
  }
  const licenceText = files.map((file) => readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim()).join('\n\n')
  return { name, version, licence: license, licenceText }
}
