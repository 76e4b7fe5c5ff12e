import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** A package whose code is, at least in part, in the bundle. */
export interface BundledPackage {
  name: string
  version: string
  /** SPDX name of the licence. */
  licence: string
  licenceText: string
}

const schema = z.object({ name: z.string(), version: z.string(), license: z.string() })

/** Licence texts for packages that name their licence without its text. */
const textsKeptHere: Record<string, string> = {
  '@stricli/core': 'LICENSE',
  'abstract-logging': 'packaging/licences/abstract-logging.txt',
}
/** Virtual modules, which contain code of the bundlers. */
const bundlersOwn: Record<string, string> = { '\0rolldown/': 'rolldown', '\0vite/': 'vite' }
/** Folders of Tandem's own sources. */
const ours = ['src/', 'web/']
const packageFolder = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/

/**
 * The packages of `modules` (the bundler's ids), sorted, each version once. Throws for a package without a licence
 * text.
 */
export function bundledPackages(root: string, modules: readonly string[]): BundledPackage[] {
  const found = new Map<string, BundledPackage>()
  for (const module of modules) {
    const bundler = Object.entries(bundlersOwn).find(([prefix]) => module.startsWith(prefix))?.[1]
    const folder = bundler === undefined ? packageFolder.exec(module)?.[0] : join(root, 'node_modules', bundler)
    if (folder === undefined && ours.some((place) => module.startsWith(join(root, place)))) continue
    if (folder === undefined)
      throw new Error(`${JSON.stringify(module)} is in the bundle, but belongs to no known package`)
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
    throw new Error(`${folder} has no licence text: find the text, and add it to packaging/bundledPackages.ts`)
  }
  const licenceText = files.map((file) => readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim()).join('\n\n')
  return { name, version, licence: license, licenceText }
}
