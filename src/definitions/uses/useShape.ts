import { isMap, isScalar, type Node } from 'yaml'
import type { Call } from '../calls.ts'
import { namePattern, nameRule } from '../names.ts'
import { flag } from '../shapes/flag.ts'
import { group, optional } from '../shapes/group.ts'
import type { KeptGroup } from '../shapes/kept.ts'
import { number } from '../shapes/number.ts'
import { refuse, type Refusal } from '../shapes/refusal.ts'
import { describeNode, type Shape } from '../shapes/shape.ts'
import { text } from '../shapes/text.ts'
import { hostIsValid, longestHost } from '../pathRules.ts'
import type { Path, YamlSource } from '../yamlSource.ts'

const longestAs = 40
const asPattern = /^[a-z][a-z0-9_-]{0,39}$/
const asRule = `a name for the variables: a to z, 0 to 9, _ and -, starting with a letter, at most ${longestAs} characters`
const outsideRule = 'an address outside the cluster, such as api.stripe.com:443'
const name = text({ expects: nameRule, pattern: namePattern })

const written = group('an entry of `uses`', {
  service: optional(name, 'The service that this one calls.', ['name', 'to']),
  as: optional(
    text({ expects: asRule, pattern: asPattern }),
    'Name of its variables: `as: db` gives DB_HOST and DB_PORT. Left out: the name of the service.',
    ['alias', 'prefix', 'env'],
  ),
  port: optional(
    number({ whole: true, least: 1, most: 65_535, what: 'a port' }),
    'The local port of that service, if it has several. Left out: its first.',
    ['target_port', 'targetPort'],
  ),
  optional: optional(flag(), 'The service may be missing; then the variables are not set.', ['ifPresent', 'soft']),
  address: optional(
    text({ expects: outsideRule, schema: { maxLength: longestHost + 6 }, check: checkOutside }),
    'An address outside the cluster, as HOST:PORT. It stands on the map; nothing enforces it.',
    ['host', 'url', 'external'],
  ),
})

const stored = { nullable: false, omitted: false }
const word = (pattern: RegExp) => ({
  kind: 'text' as const,
  ...{ least: 1, most: longestAs, pattern },
  refuse: (value: string) => (pattern.test(value) ? null : 'is not a name'),
})
const ofService: KeptGroup = {
  kind: 'group',
  keys: {
    service: { ...stored, kept: word(namePattern) },
    as: { ...stored, kept: word(asPattern), omitted: true },
    port: { ...stored, kept: { kind: 'number', whole: true, least: 1, most: 65_535 }, omitted: true },
    optional: { ...stored, kept: { kind: 'flag', only: true }, omitted: true },
  },
}
const ofAddress: KeptGroup = {
  kind: 'group',
  keys: {
    address: {
      ...stored,
      kept: {
        ...{ kind: 'text' as const, least: 1, most: longestHost + 6 },
        refuse: (value: string) => (checkOutside(value) === value ? null : `is not ${outsideRule}`),
      },
    },
  },
}

/** One entry of `uses`: the name of a service, or a map. */
export const useShape: Shape<Call> = {
  schema: { anyOf: [name.schema, written.schema] },
  kept: { kind: 'either', of: [ofService, ofAddress] },
  blank: { service: '' },
  store: (use) => use,
  read(raw, path, source) {
    const node = source.enter(raw, path)
    if (isMap(node)) return readMap(node, path, source)
    if (isScalar(node) && node.value !== null) return { service: name.read(node, path, source) }
    source.problem(path, `expected the name of a service or a map, found ${describeNode(node)}`)
    return { service: '' }
  },
}

function readMap(node: Node, path: Path, source: YamlSource): Call {
  const { service, as, port, optional: isOptional, address } = written.read(node, path, source)
  if (!source.isSound(path)) return { service: '' }
  if (address !== null) {
    const others = Object.entries({ service, as, port, optional: isOptional }).filter(([, value]) => value !== null)
    for (const [key] of others) source.problem([...path, key], `\`${key}\` belongs to a service, not to an address`)
    return { address }
  }
  if (service === null) source.problem(path, 'needs `service` or `address`, such as { service: mail, as: smtp }')
  return {
    service: service ?? '',
    ...(as === null ? {} : { as }),
    ...(port === null ? {} : { port }),
    ...(isOptional === true ? { optional: true } : {}),
  }
}

/** `api.stripe.com:443` and `[2001:db8::1]:443`, in lower case. */
function checkOutside(written: string): string | Refusal {
  const lower = written.toLowerCase()
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([^:/\s]+)):(\d{1,5})$/.exec(lower)
  const host = match?.[2]
  const port = Number(match?.[3] ?? 0)
  if (match && port >= 1 && port <= 65_535 && (host === undefined || hostIsValid(host))) return lower
  const https = /^https:\/\/([^/:]+)\/?$/.exec(lower)?.[1]
  return refuse(`"${written.slice(0, 60)}" is not ${outsideRule}`, https === undefined ? null : `${https}:443`)
}
