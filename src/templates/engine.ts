import { Liquid } from 'liquidjs'
import { mostFilesBytes, mostTemplateBytes } from '../definitions/files/paths.ts'

/** Limits of one template: a template is text of a user, and must end. */
const limits = { renderMs: 5_000, objects: 20_000_000, steps: 200_000 }

/** Tags that read other files. */
const refusedTags = ['include', 'render', 'layout', 'block']

/** Liquid without a file system: a name that is undefined, of a variable or a filter, is an error. */
export function openEngine(): Liquid {
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    templates: {},
    dynamicPartials: false,
    // The same on every machine.
    timezoneOffset: 0,
    locale: 'en-US',
    parseLimit: mostTemplateBytes,
    renderLimit: limits.renderMs,
    memoryLimit: limits.objects,
  })
  for (const name of refusedTags) engine.registerTag(name, { parse: () => refuse(name), render: () => '' })
  return engine
}

export const renderOptions = { templateLimit: limits.steps, sync: true } as const

function refuse(name: string): never {
  throw new TypeError(`\`${name}\` is not available: a template is one file`)
}

/** Whether the files of a service are too large. */
export const areTooLarge = (texts: readonly string[]): boolean =>
  texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) > mostFilesBytes
