import { appendFileSync } from 'node:fs'

interface Counts {
  /** Number of runs in `make check`: a small sample. `make test` makes a quarter of them. */
  check: number
  /** Number of runs in `make soak`. */
  soak: number
}

/**
 * Settings of a randomised test, which is as good as its number of tries: few in `make test`, more in `make check`, many in `make soak`.
 * TANDEM_SEED replays a run; TANDEM_ and the name in capitals sets the number of one test. Prints seed and count; `make
 * soak` repeats them at its end.
 */
export function randomRun(name: string, { check, soak }: Counts): { seed: number; count: number } {
  const seed = Number(process.env['TANDEM_SEED'] ?? Date.now() % 2 ** 31)
  const asked = process.env[`TANDEM_${name.toUpperCase()}`]
  const sample = process.env['TANDEM_LONG'] === '1' ? check : Math.ceil(check / 4)
  const count = Number(asked ?? (process.env['TANDEM_SOAK'] === '1' ? soak : sample))
  const line = `random  ${name.padEnd(14)} ${String(count).padStart(7)} times  TANDEM_SEED=${seed}`
  console.log(line)
  const file = process.env['TANDEM_RANDOM']
  if (file !== undefined) appendFileSync(file, `${line}\n`)
  return { seed, count }
}
