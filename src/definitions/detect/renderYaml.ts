import { stringify } from 'yaml'

/** The result of a detector, to be written as a `tandem.yaml`. */
export interface Finding {
  found: string
  run: string[]
  /** A comment beside `run`. */
  runNote?: string
  build?: { command?: string; output?: string; test?: string }
  /** A proposed command for `prepare`, commented out. */
  prepare?: string[]
  env?: Record<string, string>
  /** Files that the build makes and the service needs to run, although `.gitignore` may name them. */
  needed?: string[]
  /** Files that the service would show to every visitor, although they are not meant for visitors. */
  unseen?: string[]
}

/** Renders the finding as a commented `tandem.yaml`: the findings are active, further settings are commented out. */
export function renderYaml(service: string, finding: Finding): string {
  const { found, run, runNote, build, prepare, env } = finding
  const lines = [
    `# Written by \`tandem init\`, which found ${found}. Check it with: tandem validate`,
    '# Try it on this machine: `tandem up` in one terminal, `tandem push` in another.',
    '',
    `service: ${inline(service)}`,
    '',
    ...(runNote === undefined ? [] : [`# ${oneLine(runNote)}`]),
    '# No shell runs this. It gets PORT and HOST to listen on; ${NAME} is replaced.',
    `run: ${inline(run)}`,
    '',
    ...buildLines(build),
    prepare === undefined
      ? '# prepare: ["./migrate"]         # once per rollout, before any instance of the new release starts'
      : `# prepare: ${inline(prepare)}   # once per rollout, before any instance of the new release starts`,
    '',
    'listen: http                     # http, tcp, or none (a worker)',
    'health:',
    '  path: /                        # ready when this answers 2xx or 3xx',
    '  within: 30s                    # an instance not ready after this reverts the rollout',
    '',
    '# routes: [{ host: shop.example.com }]   # default: any host, path /; tcp: [{ port: 5672 }], for programs on the machines',
    '# instances: 1                   # on each machine',
    'rollout:',
    '  strategy: overlap              # new beside old; `replace` if it cannot run twice on one machine',
    '  drain: 30s                     # how long work in flight may continue before the old instance is stopped',
    '# limits: { memory: 512M, cpu: 1.5 }',
    ...environmentLines(env),
  ]
  return `${lines.join('\n')}\n`
}

function buildLines(build: Finding['build']): string[] {
  if (build === undefined || Object.keys(build).length === 0) {
    return [
      '# build: { command: make, output: dist, test: make test }   # run in this folder before a release is published',
      '',
    ]
  }
  const entries = Object.entries(build).map(([key, value]) => `  ${key}: ${inline(value)}`)
  return ['# Run in this folder, with your environment, before a release is published.', 'build:', ...entries, '']
}

function environmentLines(env: Finding['env']): string[] {
  if (env === undefined) return ['# env: { LOG_LEVEL: info }        # no secrets: releases are kept']
  const entries = Object.entries(env).map(([key, value]) => `  ${key}: ${inline(value)}`)
  return ['env:                             # no secrets: releases are kept', ...entries]
}

/** A value on one line, quoted where YAML requires it. */
function inline(value: string | string[]): string {
  if (Array.isArray(value)) return `[${value.map((word) => JSON.stringify(word)).join(', ')}]`
  return stringify(value, {
    lineWidth: 0,
    defaultStringType: /[\n\r]/.test(value) ? 'QUOTE_DOUBLE' : 'PLAIN',
  }).trimEnd()
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ')
