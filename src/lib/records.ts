/** Returns the entries of `record` that `keep` accepts. */
export function keepIf<T>(record: Record<string, T>, keep: (value: T, key: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key, value]) => keep(value, key)))
}

/** Returns `record` with the value at `key` changed; unchanged if there is no such value. */
export function change<T>(record: Record<string, T>, key: string, with_: (value: T) => T): Record<string, T> {
  const value = record[key]
  return value === undefined ? record : { ...record, [key]: with_(value) }
}

export function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  const { [key]: _gone, ...rest } = record
  return rest
}
