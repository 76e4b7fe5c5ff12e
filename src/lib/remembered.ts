/**
 * The same pure function, which works only once for each object, as long as that object exists. For objects that never
 * change.
 */
export function remembered<K extends object, V>(work: (of: K) => V): (of: K) => V {
  const known = new WeakMap<K, { value: V }>()
  return (of) => {
    const found = known.get(of)
    if (found) return found.value
    const value = work(of)
    known.set(of, { value })
    return value
  }
}
