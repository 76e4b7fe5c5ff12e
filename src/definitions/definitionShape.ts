import { argv } from './shapes/argv.ts'
import { duration } from './shapes/duration.ts'
import { entries } from './shapes/entries.ts'
import { flag } from './shapes/flag.ts'
import { allOmitted, as, group, nested, omitted, optional, required, withDefault } from './shapes/group.ts'
import { longestMs } from './shapes/kept.ts'
import type { Shape } from './shapes/shape.ts'
import { distinct, list } from './shapes/list.ts'
import { number } from './shapes/number.ts'
import { size } from './shapes/size.ts'
import { refuse, type Refusal } from './shapes/refusal.ts'
import { choice, text, verbatim } from './shapes/text.ts'
import { featureDefinitionKeys } from './features.ts'
import { healthShape } from './health/healthShape.ts'
import { jailShape } from './jailShape.ts'
import { environmentNamePattern, namePattern, nameRule, refuseEnvironmentName, refuseName } from './names.ts'
import { outputPath } from './outputPath.ts'
import { route } from './routeShape.ts'
import { limitsOf, listenKinds, mostEntries, stopSignals, strategies } from './bounds.ts'

const name = text({ expects: nameRule, pattern: namePattern })
const shortText = (expects: string) => text({ expects, schema: { maxLength: 500 }, check: oneLine })
const shellCommand = text({ expects: 'a shell command' })
const machineNames = distinct(list(name, { what: 'machine names', least: 1, most: mostEntries }))
const routes = list(route, { what: 'routes', least: 0, most: mostEntries })
const instances = number({ whole: true, ...limitsOf.instances, what: 'instances' })
const environment = entries(verbatim('a text'), {
  what: 'a map of environment variables',
  most: limitsOf.environmentEntries,
  pattern: environmentNamePattern,
  refuseKey: refuseEnvironmentName,
})

export const limitKeys = {
  memory: as(
    'memoryBytes',
    optional(
      size(limitsOf.memoryLeast),
      'Memory of one instance; an instance that exceeds it is killed and restarted. Left out: no limit.',
      ['mem', 'ram'],
    ),
  ),
  cpu: optional(
    number({ whole: false, ...limitsOf.cpu, what: 'processors' }),
    'Processors that one instance may use at a time. Left out: all.',
    ['cpus'],
  ),
  tasks: optional(
    number({ whole: true, ...limitsOf.tasks, what: 'processes and threads' }),
    'Processes and threads of one instance. Left out: no limit.',
    ['pids', 'processes', 'threads'],
  ),
  body: as(
    'bodyBytes',
    optional(size(limitsOf.bodyLeast), 'Largest request body; a larger one gets the answer 413. Left out: any.', [
      'bodySize',
      'maxBody',
    ]),
  ),
  files: omitted(
    optional(
      number({ whole: true, ...limitsOf.files, what: 'open files' }),
      'Open files of one instance. Left out: enough for a server.',
      ['nofile', 'fds', 'openFiles'],
    ),
  ),
}
export const limitsShape = group('`limits`', limitKeys)

const overlayHint = '; an environment may change only env, routes, machines, instances and limits'

export const overlayShape = group(
  'an environment',
  allOmitted({
    env: optional(environment, 'Merged over the `env` above; these values win.', ['environment', 'vars']),
    routes: optional(routes, 'Replaces the `routes` above.', ['route', 'ports', 'hosts']),
    machines: optional(machineNames, 'Replaces the `machines` above.', ['machine', 'hosts', 'servers']),
    instances: optional(instances, 'Replaces the `instances` above.', ['replicas', 'scale', 'count']),
    limits: optional(group('`limits`', allOmitted(limitKeys)), 'Merged over the `limits` above; these values win.', [
      'resources',
    ]),
  }),
  overlayHint,
)

function oneLine(written: string): string | Refusal {
  const line = written.trim()
  if (line === '') return refuse('is empty; leave it out')
  return /\p{Cc}/u.test(line) ? refuse('holds a line break or another control character; write one line') : line
}

const writtenNotify = group('`notify`', {
  ready: optional(flag(), 'The instance itself reports that it has started, with sd_notify(3).', ['enabled']),
  watchdog: optional(
    duration(1000),
    'The instance also reports that it is alive; silent for longer, it is killed and restarted.',
    ['every', 'interval'],
  ),
})
/** Stored without `ready`: an instance that notifies its supervisor at all says when it is ready. */
const notify: Shape<typeof writtenNotify.blank, { watchdogMs: number | null } | null> = {
  ...writtenNotify,
  kept: {
    kind: 'group',
    keys: {
      watchdogMs: {
        kept: { kind: 'number', whole: true, least: 1000, most: longestMs },
        nullable: true,
        omitted: false,
      },
    },
  },
  store: ({ ready, watchdog }) => (ready !== true && watchdog === null ? null : { watchdogMs: watchdog }),
}

/**
 * Every key of `tandem.yaml`, in the order people should read them. A key is described here and nowhere else: its type, the
 * validator, the JSON Schema, the stored form, the wire and what the privileged helper accepts come from this description.
 */
export const definitionKeys = {
  service: required(name, 'Name of the service: a to z, 0 to 9 and dashes, at most 40 characters', ['name', 'app']),
  run: required(argv, 'The command of one instance. A text is split into words; no shell runs', [
    'command',
    'cmd',
    'start',
    'exec',
    'entrypoint',
  ]),
  build: nested(
    group('`build`', {
      command: optional(
        shellCommand,
        'Builds the release: run by `sh -c` in this folder. Left out: nothing to build.',
        ['run', 'cmd'],
      ),
      output: optional(
        outputPath,
        'Folder that becomes the whole release. Left out: this folder without the files in .tandemignore (else .gitignore).',
        ['dir', 'directory', 'out', 'dist'],
      ),
      test: optional(shellCommand, 'Run after the build; when it fails, nothing is published. Left out: no test.', [
        'check',
        'tests',
      ]),
    }),
    'How a release is made from this folder.',
  ),
  prepare: optional(
    argv,
    'Run once per rollout, with the new release, before any instance starts; when it fails, nothing changes. Left out: nothing.',
    ['migrate', 'release', 'release_command', 'predeploy'],
  ),
  listen: withDefault(
    choice(listenKinds),
    'http',
    'http',
    'Traffic that instances accept: `http` requests, `tcp` connections, or `none` (a worker).',
    ['protocol', 'type'],
  ),
  health: nested(healthShape, 'When an instance is ready.', ['healthcheck', 'health_check', 'check', 'probe']),
  routes: optional(routes, 'How requests find the service. Left out, http: any host, path `/`.', [
    'route',
    'ports',
    'port',
    'hosts',
    'host',
    'domains',
    'proxy',
  ]),
  ...featureDefinitionKeys,
  machines: optional(machineNames, 'Machines that run the service. Left out: all.', ['machine', 'servers', 'nodes']),
  instances: withDefault(instances, 1, 1, 'Instances on each machine, 1 to 100.', [
    'replicas',
    'scale',
    'count',
    'processes',
  ]),
  rollout: nested(
    group('`rollout`', {
      strategy: withDefault(
        choice(strategies),
        'overlap',
        'overlap',
        '`overlap` starts new beside old; `replace` stops old first, for services that cannot run twice.',
        ['type'],
      ),
      drain: as(
        'drainMs',
        withDefault(
          duration(0),
          '30s',
          30_000,
          'How long work in flight, WebSockets too, may continue before the old instance is stopped.',
          ['drain_timeout', 'timeout'],
        ),
      ),
    }),
    'How one release follows another.',
    ['deploy', 'update', 'strategy'],
  ),
  stop: nested(
    group('`stop`', {
      signal: withDefault(choice(stopSignals), 'SIGTERM', 'SIGTERM', 'Signal that asks an instance to end.'),
      within: as(
        'withinMs',
        withDefault(duration(0), '10s', 10_000, 'An instance that has not ended after this is killed.', [
          'timeout',
          'grace',
        ]),
      ),
    }),
    'How an instance is stopped.',
    ['stop_grace_period', 'shutdown'],
  ),
  env: withDefault(environment, {}, {}, 'Environment variables. No secrets: releases are kept.', [
    'environment',
    'vars',
    'variables',
    'environ',
  ]),
  limits: nested(limitsShape, 'Resources that one instance may use.', ['resources', 'limit']),
  idle: as(
    'idleMs',
    optional(duration(100), 'An idle TCP connection, WebSocket or stream is cut after this time. Left out: never.', [
      'idle_timeout',
      'idleTimeout',
    ]),
  ),
  jail: omitted(
    nested(jailShape, 'Permissions of an instance beyond the default jail, where the supervisor is systemd.', [
      'sandbox',
      'security',
      'confinement',
    ]),
  ),
  notify: omitted(nested(notify, 'Reports of an instance to its supervisor, where that is systemd.', ['sd_notify'])),
  about: omitted(
    nested(
      group(
        '`about`',
        allOmitted({
          owner: optional(shortText('a person or a team'), 'Who looks after the service.', ['team', 'contact']),
          runbook: optional(shortText('a link or a path'), 'Where to read what to do when it fails.', ['docs', 'url']),
          what: optional(shortText('a few words'), 'Purpose of the service.', ['description', 'summary', 'title']),
        }),
      ),
      'For people: stands on the map and on the page of the service.',
      ['metadata', 'labels', 'annotations'],
    ),
  ),
  environments: withDefault(
    entries(overlayShape, {
      what: 'a map of cluster names',
      most: mostEntries,
      pattern: namePattern,
      refuseKey: refuseName,
    }),
    {},
    {},
    'Differences in a cluster, by the name of the cluster.',
    ['clusters', 'overlays', 'stages', 'profiles'],
  ),
}

export const definitionShape = group('the definition', definitionKeys)
export type DefinitionShape = typeof definitionShape

export type StoredOverlay = ReturnType<typeof overlayShape.store>
export type WrittenDefinition = typeof definitionShape.blank
export type WrittenOverlay = typeof overlayShape.blank
export type WrittenRoute = typeof route.blank
