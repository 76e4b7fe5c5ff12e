import { z } from 'zod'
import { classesSchema } from '../../protocol/numbers.ts'

const count = z.number().nonnegative()

/**
 * One reading of a machine during a rollout, for its service alone: counts as the machine reported them, so that any
 * line less costs only detail, and the sum stays exact.
 */
const lineSchema = z.object({
  /** The controller's wall clock, in ms. */
  at: z.number(),
  machine: z.string(),
  counting: z.string(),
  /** By instance. */
  instances: z.record(z.string(), z.object({ answers: classesSchema, connections: count, errors: count, work: count })),
  balancer: z.object({ own: classesSchema, retries: count, held: count }).nullable(),
})
export type RecordLine = z.infer<typeof lineSchema>

/** Reads lines up to the first damage; a last line without its end is damaged. */
export function recordLinesIn(text: string): { lines: RecordLine[]; damaged: boolean } {
  const lines: RecordLine[] = []
  const texts = text.split('\n')
  const rest = texts.pop()
  for (const one of texts) {
    const line = lineIn(one)
    if (line === null) return { lines, damaged: true }
    lines.push(line)
  }
  return { lines, damaged: rest !== '' }
}

function lineIn(text: string): RecordLine | null {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

export const recordText = (lines: readonly RecordLine[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('')

/**
 * About half of the lines: of each machine every second one, and those without which the sum would change, because an
 * instance or its counting ends there.
 */
export function thinned(lines: readonly RecordLine[]): RecordLine[] {
  const seen = new Map<string, number>()
  return lines.filter((line, index) => {
    const number = seen.get(line.machine) ?? 0
    seen.set(line.machine, number + 1)
    const next = lines.slice(index + 1).find(({ machine }) => machine === line.machine)
    return number % 2 === 0 || !next || endsBefore(line, next)
  })
}

const endsBefore = (line: RecordLine, next: RecordLine): boolean =>
  next.counting !== line.counting || Object.keys(line.instances).some((id) => !Object.hasOwn(next.instances, id))
