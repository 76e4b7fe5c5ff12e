import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mostFilesBytes, mostTemplateBytes } from '../definitions/files/paths.ts'
import { areTooLarge } from './engine.ts'
import { masked } from './masked.ts'
import type { RenderAnswer, RenderRequest } from './request.ts'
import { Template } from './template.ts'
import { TemplateError } from './templateProblem.ts'

/** Fills in all files of a request. Never throws. */
export function fillFiles({ folder, files, variables, secrets }: RenderRequest): RenderAnswer {
  const values = Object.entries(secrets).map(([name, value]) => [name, Buffer.from(value, 'base64')] as const)
  try {
    const known = {
      ...variables,
      secrets: Object.fromEntries(values.map(([name, value]) => [name, textOf(name, value)])),
    }
    const filled = Object.entries(files).map(([path, template]) => {
      return [path, new Template(template, readTemplate(folder, template)).render(known)] as const
    })
    if (areTooLarge(filled.map(([, text]) => text)))
      return { problem: `all files together have more than ${mostFilesBytes} bytes` }
    return { files: Object.fromEntries(filled) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return {
      problem: masked(
        message,
        values.map(([, value]) => value),
      ),
    }
  }
}

/** Reads a template of at most 256 KiB. Throws a `TemplateError`. */
export function readTemplate(folder: string, file: string): string {
  const problem = (message: string): TemplateError => new TemplateError({ file, line: 1, column: 1, message })
  const path = join(folder, file)
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat?.isFile()) throw problem('the release has no such file')
  if (stat.size > mostTemplateBytes) throw problem(`has ${stat.size} bytes; at most ${mostTemplateBytes} are allowed`)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path))
  } catch {
    throw problem('is not text in UTF-8')
  }
}

function textOf(name: string, value: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    throw new TypeError(`the secret ${name} is not text in UTF-8, so no template can hold it`)
  }
}
