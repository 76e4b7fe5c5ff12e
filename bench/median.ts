/** The median of the values; for an even count, the lower of the two middle values. */
export function median(values: number[]): number {
  return quantile(values, 0.5)
}

/** The quantile: the value below which `part` (0 to 1) of the values are. */
export function quantile(values: number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length - 1) * part))] ?? Number.NaN
}
