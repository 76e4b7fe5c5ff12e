import type { Folder } from './folder.ts'
import type { Finding } from './renderYaml.ts'

export async function detectRuby(folder: Folder): Promise<Finding | null> {
  const gemfile = await folder.read('Gemfile')
  if (gemfile === null && !folder.has('config.ru')) return null
  const gems = gemfile ?? ''
  const isRails = /gem ["']rails["']/.test(gems)
  const bundle = gemfile === null ? [] : ['bundle', 'exec']
  const install = 'bundle config set --local path vendor/bundle && bundle install'
  return {
    found: `a Ruby ${isRails ? 'on Rails ' : ''}project (${gemfile === null ? 'config.ru' : 'Gemfile'})`,
    run: [...bundle, ...serverOf(gems, folder)],
    build: gemfile === null ? undefined : { command: install, ...testOf(folder, gems) },
    needed: ['vendor/bundle', '.bundle'],
    prepare: isRails ? ['bundle', 'exec', 'rails', 'db:migrate'] : undefined,
    // A release is read-only: no pid file, no log files.
    env: isRails ? { RAILS_ENV: 'production', RAILS_LOG_TO_STDOUT: '1', PIDFILE: '/dev/null' } : undefined,
  }
}

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
