import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const schema = z.object({
  ...{ name: z.string(), version: z.string(), license: z.string(), description: z.string() },
  /** Memory flags of Tandem's parts: an upgrade or a return starts this version with them. */
  partFlags: z.array(z.string()).optional(),
  /** Agents of this version pass on what the controller signs: the privileged helper then takes nothing else. */
  passesOrders: z.boolean().optional(),
})

export type Program = z.infer<typeof schema>

/** Reads the package.json in `folder`. */
export function readProgram(folder: string): Program {
  return schema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
}
