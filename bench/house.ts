/*
 * `make house`: what a feature costs outside its own folders. For each feature below it prints
 *   touched   product files (src/, without tests) outside the feature's own folders that import one of its files or
 *             name it. A file names a feature when an identifier of its code, or a string without spaces, matches the
 *             feature's words; comments and texts for people do not count.
 *   broken    product files in which the compiler misses a file once the feature's own folders are deleted. Errors that
 *             only follow from these, in files whose types came from them, are not counted: they end with them.
 * It fails if a feature has more than the limit. `make house VERBOSE=1` lists the files; `ONLY=secrets,config`.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'

interface Feature {
  /** Folders and files that belong to this feature alone. */
  own: string[]
  words: RegExp
  /** Files whose words mean something else, with the meaning. */
  other?: RegExp
}

const features: Record<string, Feature> = {
  addresses: {
    own: own('addresses', 'address'),
    words:
      /keepalived|advert(?!is)|addressMoves|virtualAddress|guard(Unit|Program|Command)|Address_?(Driver|Taken|Released|Contested|Settled|Return|Guard)/i,
  },
  maintenance: {
    own: own('maintenance', 'host'),
    words: /maintenance|maintain|HostDriver|MachineWork/i,
    // HAProxy's own state of a server.
    other: /^src\/drivers\/balancer\//,
  },
  upgrades: {
    own: [...own('upgrade', 'program'), 'src/versions/', 'src/trial.ts'],
    words: /upgrade(?!dConnection|Offer)|Program(Keeper|Host|Report)|keepProgram|DesiredProgram/i,
    // The HTTP header `Upgrade`; and the advice to upgrade, in words.
    other:
      /^src\/(drivers\/balancer|releases|doctor|fleet|decider\/unable|definitions\/health)|http|api\/client|api\/contract|cli\/commands\/run/i,
  },
  notes: {
    own: own('notes'),
    words: /MachineNoted|NoteMachine|noteMachine|noteVersions|featureNote/,
  },
  numbers: {
    own: [...own('numbers'), 'src/problems/numberProblems.ts'],
    words: /NumbersKeeper|machineNumbers|machineLoad|numbersOperations|numbersHandlers/i,
  },
  lastWords: {
    own: own('lastWords'),
    words: /LastWordsKeeper|lastWordsOperations|lastWordsHandlers|keptWords/,
  },
  names: {
    own: [...own('names'), 'src/definitions/uses/', 'src/rollout/uses/'],
    words: /linkVariables|namesOperations|namesHandlers|hostsFile|namesAbility/,
  },
  map: {
    own: own('map'),
    words: /mapOperations|mapHandlers|clusterMap/,
  },
  firewall: {
    own: own('firewall'),
    words: /firewallKeys|firewallFacets|nftFirewall|firewallOperations|ConnectionRefused/i,
  },
  requirements: {
    own: [...own('requirements'), 'src/definitions/requires/', 'src/rollout/requirements.ts'],
    words: /requirements(Ask|Shape|Operations|Of)|refuseLacking/i,
  },
  secrets: {
    own: [
      ...own('secrets'),
      ...['src/sealing/', 'src/store/secretStore.ts', 'src/store/sqliteSecretStore.ts'],
      ...['src/installation/restoreController.ts', 'src/installation/registerHelperKey.ts', 'src/rollout/secrets/'],
    ],
    words: /SecretKeeper|secretOperations|secretHandlers|secretKeys|rootKeys|SecretStored|restoreController/i,
  },
  config: {
    own: [...own('config'), 'src/rollout/config/'],
    words: /configOperations|configHandlers|configKeys|ConfigChanged|configAbility|configsOn|ConfigState/i,
  },
  files: {
    own: [...own('files'), 'src/templates/', 'src/rollout/files/'],
    words: /filesOperations|filesHandlers|fileKeys|filesAbility|FilesHost|rendersOn|renderFailures/i,
  },
  settings: {
    own: own('settings', 'cluster'),
    // The settings themselves are a definition (src/definitions/): this is how they reach a machine.
    words: /takeSettings|settingsKeeper|settingsOrders|featureSettings/i,
  },
}

/** The places where each floor keeps a feature's own code. */
function own(...names: string[]): string[] {
  return names.flatMap((name) => [
    ...[`src/${name}/`, `src/agent/${name}/`, `src/api/${name}.ts`, `src/cli/${name}/`, `src/controller/${name}/`],
    ...[`src/protocol/${name}.ts`, `src/drivers/${name}/`, `src/privileged/${name}/`, `src/definitions/${name}/`],
    ...['machine', 'layout', 'examine', 'parts'].map((room) => `src/${room}/${name}.ts`),
    ...[name, name.replace(/s$/, ''), name.replace(/es$/, '')].map((stem) => `src/events/${stem}Events.ts`),
  ])
}

const root = resolve(import.meta.dirname, '..')
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'src'], { cwd: root })
  .toString()
  .split('\n')
const product = tracked.filter(
  (file) => file.endsWith('.ts') && !/\.test\.ts$|\/testing\/|(Conformance|Fixture|Lab)\.ts$|fetchingChild/.test(file),
)

const isOwn = (feature: Feature, file: string): boolean =>
  feature.own.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place))

/** Identifiers, strings and imported files of a source file; comments are no part of them. */
function wordsIn(file: string): { words: string[]; imports: string[] } {
  const { program, module } = parseSync(file, readFileSync(join(root, file), 'utf8'))
  const words: string[] = []
  const imports: string[] = []
  for (const { moduleRequest } of module.staticImports) imports.push(moduleRequest.value)
  new Visitor({
    Identifier: ({ name }) => void words.push(name),
    Literal: ({ value }) => void (typeof value === 'string' && !value.includes(' ') && words.push(value)),
    ImportExpression: ({ source }) =>
      void (source.type === 'Literal' && typeof source.value === 'string' && imports.push(source.value)),
  }).visit(program)
  const relative = imports.filter((one) => one.startsWith('.'))
  return { words: words.filter((word) => !relative.includes(word)), imports: relative }
}

const parsed = new Map(product.map((file) => [file, wordsIn(file)]))

function touched(feature: Feature): string[] {
  return product.filter((file) => {
    const { words = [], imports = [] } = parsed.get(file) ?? {}
    if (isOwn(feature, file)) return false
    const does = imports.some((one) => isOwn(feature, join(dirname(file), one)))
    return does || (!feature.other?.test(file) && words.some((word) => feature.words.test(word)))
  })
}

/** Compiles a copy of the product without the feature's own files. */
function broken(feature: Feature): string[] {
  mkdirSync(join(root, 'tmp'), { recursive: true })
  const copy = mkdtempSync(join(root, 'tmp/house-'))
  try {
    for (const file of product.filter((one) => !isOwn(feature, one))) cpSync(join(root, file), join(copy, file))
    cpSync(join(root, 'package.json'), join(copy, 'package.json'))
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    const config = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as object
    writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify({ ...config, include: ['src'] }))
    const errors = compile(copy)
    return [
      ...new Set(
        [...errors.matchAll(/^(src\/[^(]+)\(.*error TS2307: Cannot find module '\.{1,2}\//gm)].map(
          ([, file = '']) => file,
        ),
      ),
    ].toSorted()
  } finally {
    rmSync(copy, { recursive: true })
  }
}

function compile(folder: string): string {
  try {
    return execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: folder, encoding: 'utf8' })
  } catch (error) {
    return (error as { stdout?: string }).stdout ?? '' // tsc ends with 2 where it finds errors
  }
}

const most = 8
console.log(`feature      touched  broken   (at most ${most} each)`)
const only = process.env['ONLY']?.split(',') ?? Object.keys(features)
for (const [name, feature] of Object.entries(features).filter(([one]) => only.includes(one))) {
  const [near, far] = [touched(feature), broken(feature)]
  console.log(`${name.padEnd(12)} ${String(near.length).padStart(7)}  ${String(far.length).padStart(6)}`)
  if (Math.max(near.length, far.length) > most) process.exitCode = 1
  if (process.env['VERBOSE'] !== undefined) {
    for (const file of [...new Set([...near, ...far])].toSorted())
      console.log(
        `  ${near.includes(file) ? 'touched' : '       '} ${far.includes(file) ? 'broken' : '      '} ${file}`,
      )
  }
}
