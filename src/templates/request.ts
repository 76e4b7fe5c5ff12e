import { z } from 'zod'

/** The request to the program that fills in files, as JSON on its standard input. */
export const renderRequestSchema = z.object({
  /** Folder of the release. */
  folder: z.string(),
  /** The template of each file, a path in that folder, by the path of the file. */
  files: z.record(z.string(), z.string()),
  /** Everything that templates may name, except secrets. */
  variables: z.record(z.string(), z.unknown()),
  /** By name, base64. */
  secrets: z.record(z.string(), z.base64()),
})
export type RenderRequest = z.infer<typeof renderRequestSchema>

/** The answer, as JSON on its standard output: the text of each file, or why there are none, with secrets masked. */
export const renderAnswerSchema = z.union([
  z.object({ files: z.record(z.string(), z.string()) }),
  z.object({ problem: z.string() }),
])
export type RenderAnswer = z.infer<typeof renderAnswerSchema>
