import type { Call } from '../calls.ts'
import type { Path, YamlSource } from '../yamlSource.ts'
import { servicesUsed, variableEnds, variableOf } from './variables.ts'

type Env = Record<string, string>

/** Programs that read a variable of this name as something else than Tandem would put there. */
const misread: Readonly<Record<string, string>> = {
  DOCKER_HOST: 'the Docker client connects to it instead of its own daemon',
  HTTP_HOST: 'CGI programs take it for the `Host` of a request',
  MYSQL_HOST: 'the client of MySQL and MariaDB connects to it by default',
  REDIS_PORT: 'some programs expect tcp://HOST:PORT in it, as Docker links set it',
}

interface Checked {
  service: string
  uses?: Call[]
  env: Env
  /** The `env` of each overlay. */
  overlays: Record<string, Env>
}

/** Checks the entries of `uses` against each other and against the variables that `env` sets. */
export function checkUses({ service, uses, env, overlays }: Checked, source: YamlSource): void {
  if (uses === undefined || !source.isSound(['uses'])) return
  const firsts = new Map<string, number>()
  for (const [index, use] of uses.entries()) {
    const key = 'service' in use ? variableOf(use, 'HOST') : use.address
    const first = firsts.get(key)
    firsts.set(key, first ?? index)
    if (first !== undefined) refuseTwice(use, ['uses', index], source.lineOf(['uses', first]), source)
    if (!('service' in use)) continue
    if (use.service === service) {
      source.problem(['uses', index], `${service} is this service; it may always call itself, so leave it out`)
    }
    const sets = variableOf(use, 'HOST')
    if (sets.startsWith('TANDEM_')) {
      const message = `gives ${sets}, but names that start with TANDEM_ are set by Tandem; add \`as\``
      source.problem(['uses', index], message)
    }
  }
  refuseBothSet(uses, env, ['env'], source)
  for (const [cluster, own] of Object.entries(overlays)) {
    refuseBothSet(uses, own, ['environments', cluster, 'env'], source)
  }
  warnAboutMisread(uses, source)
}

function refuseTwice(use: Call, at: Path, line: number, source: YamlSource): void {
  if (!('service' in use)) source.problem(at, `${use.address} occurs twice, first on line ${line}`)
  else source.problem(at, `gives ${variableOf(use, 'HOST')}, as line ${line} does; give one of both another \`as\``)
}

function refuseBothSet(uses: Call[], env: Env, path: Path, source: YamlSource): void {
  for (const use of servicesUsed(uses)) {
    for (const name of variableEnds.map((end) => variableOf(use, end))) {
      if (!Object.hasOwn(env, name)) continue
      const other = `{ service: ${use.service}, as: ${use.service}-service }`
      const message = `\`uses: ${use.service}\` sets ${name} too; remove it here, or write ${other} there`
      source.problem([...path, name], message)
    }
  }
}

function warnAboutMisread(uses: Call[], source: YamlSource): void {
  for (const [index, use] of uses.entries()) {
    if (!('service' in use)) continue
    const names = variableEnds.map((end) => variableOf(use, end))
    const name = names.find((one) => Object.hasOwn(misread, one))
    if (name === undefined || use.as !== undefined) continue
    const message = `sets ${name}: ${misread[name]}. If that concerns this program, write { service: ${use.service}, as: ${use.service}-service }`
    source.warn(['uses', index], message)
  }
}
