import { appendFileSync } from 'node:fs'

interface Counts {
  /** In `make check` and `make test`: a taste. */
  check: number
  /** In `make soak`. */
  soak: number
}

/**
 * A test that is as good as its number of tries: a short one in `make check`, a long one in `make soak`. TANDEM_SEED replays
 * it; TANDEM_ and the name in capitals sets its number alone. It prints seed and count; `make soak` repeats them at its end.
 */
export function randomRun(name: string, { check, soak }: Counts): { seed: number; count: number } {
  const seed = Number(process.env['TANDEM_SEED'] ?? Date.now() % 2 ** 31)
  const asked = process.env[`TANDEM_${name.toUpperCase()}`]
  const count = Number(asked ?? (process.env['TANDEM_SOAK'] === '1' ? soak : check))
  const line = `random  ${name.padEnd(14)} ${String(count).padStart(7)} times  TANDEM_SEED=${seed}`
  console.log(line)
  const file = process.env['TANDEM_RANDOM']
  if (file !== undefined) appendFileSync(file, `${line}\n`)
  return { seed, count }
}
