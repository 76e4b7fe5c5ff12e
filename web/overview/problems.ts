import type { Overview } from '../../src/api/overview.ts'

export type Problem = Overview['wrong'][number]

/** A row stays the same element while its numbers change, under a pointer and with the focus. */
export function keyed(wrong: Problem[]): [string, Problem][] {
  const many = new Map<string, number>()
  return wrong.map((one) => {
    const key = `${one.word} ${one.subject} ${one.instance}`
    const before = many.get(key) ?? 0
    many.set(key, before + 1)
    return [`${key} ${before}`, one]
  })
}

/** Where the cause can be read: the last lines of the instance; else the service and its logs, or the machine. */
export function placesOf({ service, machine, instance }: Problem): [href: string, name: string][] {
  const at = service === null ? '' : encodeURIComponent(service)
  if (service !== null && instance !== null) {
    return [[`/logs/${at}?instance=${encodeURIComponent(instance)}`, 'last lines']]
  }
  if (service !== null) {
    const where = machine === null ? '' : `?machine=${encodeURIComponent(machine)}`
    return [
      [`/logs/${at}${where}`, 'logs'],
      [`/services/${at}`, 'service'],
    ]
  }
  return machine === null ? [] : [[`/machines/${encodeURIComponent(machine)}`, 'machine']]
}
