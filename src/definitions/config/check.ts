import type { Definition } from '../definition.ts'
import type { Replaced } from '../environmentChecks.ts'
import type { YamlSource } from '../yamlSource.ts'
import { problemWith } from './settings.ts'

type Checked = Pick<Definition, 'service' | 'config'> & Replaced

/** Checks the settings of a service against themselves and against the variables that are set otherwise. */
export function checkConfig({ config = {}, env, overlays }: Checked, source: YamlSource): void {
  for (const [name, setting] of Object.entries(config)) {
    const path = ['config', name]
    const { default: value, required } = setting
    if (Object.hasOwn(env, name)) source.problem(path, `\`env\` sets ${name} too; remove it there`)
    for (const [cluster, own] of Object.entries(overlays))
      if (Object.hasOwn(own, name))
        source.problem(['environments', cluster, 'env', name], `\`config\` sets ${name} too`)
    if (required && value !== undefined)
      source.problem([...path, 'required'], `${name} has a default, so it need not be set; remove one of both`)
    const wrong = value === undefined ? null : problemWith(setting, value)
    if (wrong !== null) source.problem([...path, 'default'], `${name} ${wrong}`)
  }
}
