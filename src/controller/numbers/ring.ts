/** Points at the start; doubled as needed. At an interval of 10 s, 15 minutes have 90. */
const fewPoints = 96

/**
 * The newest points of one series, in typed arrays: `width` values at a time. Points older than `keptMs` are dropped,
 * and beyond `mostPoints` the oldest. A point costs 8 bytes and 4 for each value.
 */
export class Ring {
  readonly #width: number
  readonly #keptMs: number
  readonly #mostPoints: number
  #times: Float64Array
  #values: Float32Array
  #first = 0
  #size = 0

  constructor({ width, keptMs, mostPoints }: { width: number; keptMs: number; mostPoints: number }) {
    this.#width = width
    this.#keptMs = keptMs
    this.#mostPoints = mostPoints
    const points = Math.min(fewPoints, mostPoints)
    this.#times = new Float64Array(points)
    this.#values = new Float32Array(points * width)
  }

  get bytes(): number {
    return this.#times.byteLength + this.#values.byteLength
  }

  /** The time of the newest point; `null`: none is left. */
  get newest(): number | null {
    return this.#size === 0 ? null : (this.#times[this.#index(this.#size - 1)] ?? null)
  }

  /** `at` in ms. If it lies before the newest point, a clock was set back: the points of its future are dropped. */
  push(at: number, values: readonly number[]): void {
    if ((this.newest ?? at) > at) this.#size = 0
    this.dropBefore(at - this.#keptMs)
    if (this.#size === this.#times.length && this.#size < this.#mostPoints) this.#grow()
    if (this.#size === this.#times.length) this.#dropFirst()
    const index = this.#index(this.#size)
    this.#times[index] = at
    this.#values.set(values, index * this.#width)
    this.#size += 1
  }

  dropBefore(at: number): void {
    while (this.#size > 0 && (this.#times[this.#first] ?? 0) < at) this.#dropFirst()
  }

  /** The points after that time, oldest first. The values are a view: copy what must stay. */
  *after(time: number): Iterable<{ at: number; values: Float32Array }> {
    for (let point = 0; point < this.#size; point += 1) {
      const index = this.#index(point)
      const at = this.#times[index] ?? 0
      if (at > time) yield { at, values: this.#values.subarray(index * this.#width, (index + 1) * this.#width) }
    }
  }

  /** The sums of all values after that time. */
  sumAfter(time: number): number[] {
    const sums = Array.from({ length: this.#width }, () => 0)
    for (let point = this.#size - 1; point >= 0; point -= 1) {
      const index = this.#index(point)
      if ((this.#times[index] ?? 0) <= time) break
      for (let value = 0; value < this.#width; value += 1) {
        sums[value] = (sums[value] ?? 0) + (this.#values[index * this.#width + value] ?? 0)
      }
    }
    return sums
  }

  #index(point: number): number {
    return (this.#first + point) % this.#times.length
  }

  #dropFirst(): void {
    this.#first = (this.#first + 1) % this.#times.length
    this.#size -= 1
  }

  #grow(): void {
    const points = Math.min(this.#times.length * 2, this.#mostPoints)
    const [times, values] = [new Float64Array(points), new Float32Array(points * this.#width)]
    let point = 0
    for (const { at, values: one } of this.after(-Infinity)) {
      times[point] = at
      values.set(one, point * this.#width)
      point += 1
    }
    ;[this.#times, this.#values, this.#first] = [times, values, 0]
  }
}
