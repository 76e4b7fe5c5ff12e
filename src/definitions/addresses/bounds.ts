/**
 * How often the holder of a virtual address announces it. With a shorter interval, a busy machine looks dead; the
 * longest is what VRRP handles well.
 */
export const [leastAdvertMs, usualAdvertMs, mostAdvertMs] = [50, 100, 10_000]
