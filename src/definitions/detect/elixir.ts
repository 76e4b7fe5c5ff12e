import type { Folder } from './folder.ts'
import type { Finding } from './renderYaml.ts'

export async function detectElixir(folder: Folder, service: string): Promise<Finding | null> {
  const mix = await folder.read('mix.exs')
  if (mix === null) return null
  const app = /\bapp:\s*:([a-z][a-z0-9_]{0,60})/.exec(mix)?.[1] ?? service.replaceAll('-', '_')
  const isPhoenix = /\{:phoenix,/.test(mix)
  return {
    found: `an Elixir project (mix.exs, app ${app})`,
    run: [`./bin/${app}`, 'start'],
    build: {
      command: 'mix deps.get --only prod && MIX_ENV=prod mix release --overwrite',
      output: `_build/prod/rel/${app}`,
      test: 'mix test',
    },
    prepare: /\{:ecto_sql,/.test(mix) ? [`./bin/${app}`, 'eval', `${camel(app)}.Release.migrate`] : undefined,
    env: {
      // A release is read-only, and two instances on one machine must not take each other's node name.
      RELEASE_TMP: '${TANDEM_DATA}/${TANDEM_INSTANCE}',
      RELEASE_DISTRIBUTION: 'none',
      ...(isPhoenix ? { PHX_SERVER: 'true' } : {}),
    },
  }
}

const camel = (name: string): string =>
  name.replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
