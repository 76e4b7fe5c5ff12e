import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeJsonDurably } from '../lib/durableJson.ts'

const schema = z.array(
  z.object({
    token: z.string(),
    role: z.enum(['operator', 'reader', 'agent']),
    machine: z.string().nullable(),
    name: z.string(),
  }),
)

type Admitted = z.infer<typeof schema>

/** Tokens in a file that the controller admits at its start; `null`, or no such file: none. */
export const admittedIn = (file: string | null): Admitted =>
  file !== null && existsSync(file) ? schema.parse(JSON.parse(readFileSync(file, 'utf8'))) : []

/** File in which `tandem controller init` stores the founder's token for the first start. */
export class FounderTokens {
  readonly path: string

  constructor(data: string) {
    this.path = join(data, 'admit.json')
  }

  write(tokens: Admitted): void {
    writeJsonDurably(this.path, tokens)
  }

  remove(): void {
    rmSync(this.path, { force: true })
  }
}
