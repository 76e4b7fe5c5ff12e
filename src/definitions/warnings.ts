import type { Definition } from './definition.ts'
import { warnAboutHealth } from './health/warnAboutHealth.ts'
import { warnAboutStores } from './health/warnAboutStores.ts'
import { inheritedNames, tandemNames } from './names.ts'
import { placeholdersIn, shellNamesIn } from './placeholders.ts'
import type { Path, YamlSource } from './yamlSource.ts'

/** Milliseconds in 31 bits. */
const haproxyLongestMs = 2 ** 31 - 1
const shells = /(?:^|\/)(?:ba|da|z|k)?sh$/

/** Warns about settings that are allowed and probably not intended. */
export function warnAbout(definition: Definition, source: YamlSource): void {
  warnAboutUnused(definition, source)
  warnAboutIdle(definition, source)
  warnAboutCommand(definition.run, 'run', definition, source)
  if (definition.prepare !== null) warnAboutCommand(definition.prepare, 'prepare', definition, source)
  if (definition.health.command) warnAboutCommand(definition.health.command, 'health.command', definition, source)
  warnAboutHealth(definition, source)
  warnAboutStores(definition, source)
  for (const [name, value] of Object.entries(definition.env)) warnAboutHome(value, ['env', name], source)
  for (const [cluster, { env }] of Object.entries(definition.environments)) {
    for (const [name, value] of Object.entries(env ?? {})) {
      warnAboutHome(value, ['environments', cluster, 'env', name], source)
    }
  }
  if (definition.stop.signal === 'SIGKILL') {
    source.warn(['stop', 'signal'], 'SIGKILL gives an instance no time to finish its work; SIGTERM does')
  }
  if (definition.health.timeoutMs > definition.health.withinMs) {
    source.warn(['health', 'timeout'], 'longer than `health.within`: one slow probe fails the rollout')
  }
}

/** Warns about timeouts that would cut connections which the definition promises to keep. */
function warnAboutIdle({ idleMs, rollout }: Definition, source: YamlSource): void {
  if (idleMs === null) return
  if (idleMs > haproxyLongestMs) {
    source.warn(['idle'], 'HAProxy counts up to 24 days and then cuts the connection; leave `idle` out to never cut it')
  }
  if (idleMs < rollout.drainMs) {
    const message = `shorter than \`rollout.drain\`: while an old instance drains, its silent connections end after this, not at the drain deadline`
    source.warn(['idle'], message)
  }
}

function warnAboutUnused({ listen, health }: Definition, source: YamlSource): void {
  const isUnprobed = listen === 'none' && health.command === undefined
  const unused: [string[], boolean, string][] = [
    [['health', 'path'], listen !== 'http', 'only http services are probed at a path'],
    [['health', 'host'], listen !== 'http', 'only http services are probed with a `Host`'],
    [['health', 'status'], listen !== 'http', 'only http services answer with a status'],
    [['health', 'header'], listen !== 'http', 'only http services are probed with a header'],
    [['health', 'settle'], listen !== 'none', 'only a worker (`listen: none`) is ready by staying up'],
    [['health', 'every'], isUnprobed, 'a worker without `health.command` is not probed'],
    [['health', 'timeout'], isUnprobed, 'a worker without `health.command` is not probed'],
    [['health', 'delay'], isUnprobed, 'a worker without `health.command` is not probed; `settle` is its delay'],
    [['idle'], listen === 'none', 'a worker has no connections'],
    [['limits', 'body'], listen !== 'http', 'only http requests have a body'],
  ]
  for (const [path, isUnused, why] of unused) {
    if (isUnused && source.has(path)) source.warn(path, `has no effect with \`listen: ${listen}\`: ${why}`)
  }
}

/** A worker listens nowhere, and `prepare` runs before there is an instance. */
const isUnset = (name: string, key: string, listen: Definition['listen']): boolean =>
  (name === 'PORT' || name === 'HOST') && (listen === 'none' || key === 'prepare')

/** Only a shell replaces `~` with a folder. */
function warnAboutHome(word: string, path: Path, source: YamlSource): void {
  const sign = /^~(?:\/|$)/.exec(word)?.[0]
  if (sign === undefined) return
  const message = 'no shell runs this: `~` is passed to the program unchanged'
  source.warn(path, message, { part: sign, suggestion: `\${HOME}${sign.slice(1)}` })
}

function warnAboutCommand(argv: string[], key: string, { env, listen }: Definition, source: YamlSource): void {
  const at = key.split('.')
  // In `sh -c '… $PORT'` the shell replaces the name.
  const hasShell = shells.test(argv[0] ?? '')
  for (const [index, word] of argv.entries()) {
    for (const name of hasShell ? [] : shellNamesIn(word)) {
      if (!tandemNames.includes(name) && !inheritedNames.includes(name) && !Object.hasOwn(env, name)) continue
      const message = `no shell runs this: \`$${name}\` is passed to the program unchanged`
      const isEmpty = isUnset(name, key, listen)
      source.warn([...at, index], message, { part: `$${name}`, suggestion: isEmpty ? null : `\${${name}}` })
    }
    if (!hasShell) warnAboutHome(word, [...at, index], source)
    for (const { name, written } of placeholdersIn(word)) {
      if (name === null || !isUnset(name, key, listen)) continue
      const why =
        key === 'prepare' ? '`prepare` runs before there is an instance' : 'a worker (`listen: none`) has none'
      source.warn([...at, index], `${written} is empty here: ${why}`, { part: written })
    }
  }
}
