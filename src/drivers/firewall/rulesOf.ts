import type { Guard } from './firewall.ts'
import type { TableRules } from './tableText.ts'

/** The unit of an instance, as far as the firewall depends on it. */
export interface GuardedUnit {
  service: string
  /** The name of the user that it runs as. */
  user: string
  port: number | null
  /** The networks that it may connect to; `null`: all. */
  networks: readonly string[] | null
}

/** Users by name. */
export interface KnownUsers {
  /** User ids of those that may connect to everything. */
  free: readonly number[]
  balancers: readonly number[]
  /** `null`: there is no such user on this machine. */
  idOf: (user: string) => number | null
  /** The user of a service without a unit here. */
  userOf: (service: string) => string
}

/**
 * The rules in numbers, from what the controller wants and the units on this machine, which root has written: a port is
 * that of an instance from before its start until its unit is removed.
 */
export function rulesOf(guard: Guard, units: readonly GuardedUnit[], known: KnownUsers): TableRules {
  const ids = (service: string): number[] => {
    const named = units.filter((unit) => unit.service === service).map(({ user }) => user)
    return present([...new Set([...named, known.userOf(service)])].map(known.idOf))
  }
  return {
    mode: guard.mode,
    free: known.free,
    balancers: known.balancers,
    users: present(guard.users.map(known.idOf)),
    owners: units.flatMap(({ port, user }) => {
      const uid = known.idOf(user)
      return port === null || uid === null ? [] : [{ uid, port }]
    }),
    routes: guard.routes.map(({ address, port }) => ({ address, port })),
    may: guard.routes.flatMap(({ address, port, service, callers }) =>
      [service, ...callers].flatMap(ids).map((uid) => ({ uid, address, port })),
    ),
    confined: confinedIn(units, known),
    services: guard.metadata === undefined ? [] : servicesIn(units, known),
    metadata: (guard.metadata ?? []).flatMap(ids),
  }
}

const servicesIn = (units: readonly GuardedUnit[], { idOf }: KnownUsers): number[] =>
  present(units.map(({ user }) => idOf(user))).filter((uid) => uid !== 0)

/** While two releases of a service run, both may connect to what one of them may. */
function confinedIn(units: readonly GuardedUnit[], { idOf }: KnownUsers): TableRules['confined'] {
  return [...Map.groupBy(units, ({ user }) => user)].flatMap(([user, all]) => {
    const uid = idOf(user)
    if (uid === null || uid === 0 || all.some(({ networks }) => networks === null)) return []
    return [{ uid, networks: all.flatMap(({ networks }) => networks ?? []) }]
  })
}

const present = (ids: readonly (number | null)[]): number[] => ids.filter((id) => id !== null)
