import type { Folder } from './folder.ts'
import type { Finding } from './renderYaml.ts'

export async function detectElixir(folder: Folder, service: string): Promise<Finding | null> {
  const mix = await folder.read('mix.exs')
  if (mix === null) return null
  const app = /\bapp:\s*:([a-z][a-z0-9_]{0,60})/.exec(mix)?.[1] ?? service.replaceAll('-', '_')
  const isPhoenix = /\{:phoenix,/.test(mix)
  const assets = isPhoenix ? await assetsOf(mix, folder) : []
  return {
    found: `an Elixir project (mix.exs, app ${app})`,
    run: [`./bin/${app}`, 'start'],
    build: {
      command: ['mix deps.get --only prod', ...assets, 'MIX_ENV=prod mix release --overwrite'].join(' && '),
      output: `_build/prod/rel/${app}`,
      test: 'mix test',
    },
    prepare: /\{:ecto_sql,/.test(mix) ? [`./bin/${app}`, 'eval', `${camel(app)}.Release.migrate`] : undefined,
    env: {
      // A release is read-only, and two instances on one machine must not take the same node name.
      RELEASE_TMP: '${TANDEM_DATA}/${TANDEM_INSTANCE}',
      RELEASE_DISTRIBUTION: 'none',
      ...(isPhoenix ? { PHX_SERVER: 'true' } : {}),
    },
  }
}

/**
 * Commands for the assets of a Phoenix project: its own alias, as generated since 1.6; before, webpack in `assets/`.
 */
async function assetsOf(mix: string, folder: Folder): Promise<string[]> {
  if (/["']assets\.deploy["']/.test(mix)) return ['MIX_ENV=prod mix assets.deploy']
  const scripts = await folder.read('assets/package.json')
  if (scripts === null) return []
  const deploy = /"deploy"\s*:/.test(scripts) ? ['npm --prefix assets run deploy'] : []
  return ['npm --prefix assets ci', ...deploy, 'MIX_ENV=prod mix phx.digest']
}

const camel = (name: string): string =>
  name.replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
