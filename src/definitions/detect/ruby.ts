import type { Folder } from './folder.ts'
import type { Finding } from './renderYaml.ts'

export async function detectRuby(folder: Folder): Promise<Finding | null> {
  const gemfile = await folder.read('Gemfile')
  if (gemfile === null && !folder.has('config.ru')) return null
  const gems = gemfile ?? ''
  const isRails = /gem ["']rails["']/.test(gems)
  const bundle = gemfile === null ? [] : ['bundle', 'exec']
  const install = 'bundle config set --local path vendor/bundle && bundle install'
  const hasAssets = isRails && (assetGems.test(gems) || (await folder.read('app/assets/config/manifest.js')) !== null)
  return {
    found: `a Ruby ${isRails ? 'on Rails ' : ''}project (${gemfile === null ? 'config.ru' : 'Gemfile'})`,
    run: [...bundle, ...serverOf(gems, folder)],
    build:
      gemfile === null
        ? undefined
        : { command: hasAssets ? `${install} && ${precompile}` : install, ...testOf(folder, gems) },
    needed: ['vendor/bundle', '.bundle', ...(hasAssets ? ['public/assets'] : [])],
    prepare: isRails ? ['bundle', 'exec', 'rails', 'db:migrate'] : undefined,
    // A release is read-only: no pid file, no log files.
    env: isRails
      ? {
          ...{ RAILS_ENV: 'production', RAILS_LOG_TO_STDOUT: '1', PIDFILE: '/dev/null' },
          // No web server in front would serve the assets.
          ...(hasAssets ? { RAILS_SERVE_STATIC_FILES: '1' } : {}),
        }
      : undefined,
  }
}

const assetGems =
  /gem ["'](?:sprockets-rails|propshaft|importmap-rails|cssbundling-rails|jsbundling-rails|tailwindcss-rails|dartsass-rails)["']/
/**
 * Needs no production secret: any value works while assets are built (Rails 7.1 knows the first, earlier ones the
 * second).
 */
const precompile =
  'SECRET_KEY_BASE_DUMMY=1 SECRET_KEY_BASE=unused RAILS_ENV=production bundle exec rails assets:precompile'

function serverOf(gems: string, folder: Folder): string[] {
  if (/gem ["']puma["']/.test(gems)) return ['puma', '--bind', 'tcp://${HOST}:${PORT}']
  if (folder.has('config.ru')) return ['rackup', '--host', '${HOST}', '--port', '${PORT}']
  const script = ['app.rb', 'server.rb', 'main.rb'].find((file) => folder.has(file))
  return ['ruby', script ?? 'app.rb']
}

function testOf(folder: Folder, gems: string): { test?: string } {
  if (folder.has('spec') && /rspec/.test(gems)) return { test: 'bundle exec rspec' }
  return folder.has('Rakefile') && folder.has('test') ? { test: 'bundle exec rake test' } : {}
}
