import { z } from 'zod'
import { filePath, mostFiles } from '../definitions/files/paths.ts'
import { name, reason, releaseId } from './basics.ts'
import type { Ability, ProgramOf, Slice } from './slice.ts'

const path = z.string().max(900).regex(filePath)

const fileSchema = z.object({
  /** A file of the release. */
  template: path,
  /** Command that must accept the file; `{}` in it stands for the path of the file. */
  check: z.array(z.string()).min(1).optional(),
})

/** The values that templates may name, except secrets: a machine has those already. */
const variablesSchema = z.object({
  cluster: z.object({ name: z.string() }),
  machine: z.object({ name: z.string(), address: z.string() }),
  service: z.object({ name: z.string(), release: z.string() }),
  config: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})

const renderSchema = z.object({
  ...{ service: name, generation: name, release: releaseId },
  /** By their path below $TANDEM_FILES. */
  files: z.record(path, fileSchema).refine((files) => Object.keys(files).length <= mostFiles, 'are too many'),
  variables: variablesSchema,
})

/** The files of services that a machine fills in from templates. */
export const files = {
  desire: {
    /** Of the generations that run on this machine, or are about to; each is filled in once. */
    render: z.array(renderSchema).default([]),
  },
  report: {
    /** Generations whose files are filled in and accepted. */
    rendered: z.array(name).default([]),
    renderFailures: z.array(z.object({ generation: name, message: reason })).default([]),
  },
  program: ({ render }: { render: Render[] }, of: ProgramOf) => {
    const found = render.find(({ generation }) => generation === of.generation)
    return found ? { more: { files: { files: found.files, variables: found.variables } satisfies ProgramFiles } } : {}
  },
} satisfies Slice

/** The share of files in the order about a program. */
export const programFilesSchema = renderSchema.pick({ files: true, variables: true })
export type ProgramFiles = z.infer<typeof programFilesSchema>

/** Asks a machine to fill in files for a person, with masks in place of secrets. */
export const renderAsk = {
  release: releaseId,
  /** The template of each file, by the path of the file. */
  files: z.record(path, path),
  variables: variablesSchema,
  /** Names of the secrets that templates may name. */
  secrets: z.array(z.string().max(200)).max(1_000),
}
export type RenderAsk = z.infer<z.ZodObject<typeof renderAsk>>

/** The template of each file, by the path of the file. */
export const templatesOf = (files: Readonly<Record<string, { template: string }>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, { template }]) => [path, template]))

export type Render = z.infer<typeof renderSchema>
export type TemplateVariables = z.infer<typeof variablesSchema>

export const filesAbility: Ability<{ render: Render[] }> = {
  name: 'files',
  words: 'fill in the files of a service',
  wanted: ({ render }) => {
    const services = [...new Set(render.map(({ service }) => service))].sort()
    return services.length === 0 ? null : `fill in the files of ${services.join(', ')}`
  },
}
