/** deb-version(7), and the relations of deb-control(5). */
export const packagePattern = /^[a-z0-9][a-z0-9+.-]{1,99}(?: *(?:>=|<=|=|>>|<<|>|<) *[0-9][0-9A-Za-z.+:~-]{0,99})?$/

/** A relation as `dpkg --compare-versions` names it. */
export type Relation = 'ge' | 'le' | 'eq' | 'gt' | 'lt'

const relations: Record<string, Relation> = {
  ...{ '>=': 'ge', '<=': 'le', '=': 'eq' },
  ...{ '>': 'gt', '<': 'lt', '>>': 'gt', '<<': 'lt' },
}

export interface RequiredPackage {
  /** As it is stored: without blanks. */
  text: string
  name: string
  /** `null`: any version. */
  version: { relation: Relation; than: string } | null
}

/** The parts of a text that matches `packagePattern`. */
export function requiredPackage(written: string): RequiredPackage {
  const [, name = '', sign = '', than = ''] = /^([^ <>=]+) *([<>=]*) *(.*)$/.exec(written) ?? []
  const relation = relations[sign]
  return { text: `${name}${sign}${than}`, name, version: relation ? { relation, than } : null }
}
