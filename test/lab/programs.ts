import type { Edit } from './copiedExample.ts'

const isSoak = process.env['TANDEM_SOAK'] === '1'

/** An example of a program that nobody here wrote. */
export interface Program {
  /** Its folder in examples/. */
  folder: string
  /** Debian packages of the command that asks it. */
  tools?: string[]
  /** How its users ask it: a requested host at the entry, or a command on machine b. */
  ask: { host: string } | { argv: string[] }
  answer: RegExp
  /** A path whose answer comes from a service that it uses. */
  through?: { path: string; answer: RegExp }
  /** Commands on machine b that store something, and read it after all that has happened to the service. */
  keeps?: { write: string[]; read: string[]; value: RegExp }
  /** A command beside an instance, in its jail, as its README shows it. */
  inside?: { argv: string[]; answer: RegExp }
  /** Another good release, and its answer. */
  change: Edit
  changed: RegExp
  /** A release that must not go into traffic, and the words of `push` that say why. */
  mistake: Edit
  why: RegExp
}

const redisCli = ['redis-cli', '-h', 'redis.tandem.internal']
const redis: Program = {
  folder: 'redis',
  ask: { argv: [...redisCli, 'config', 'get', 'maxmemory'] },
  answer: /268435456/,
  keeps: { write: [...redisCli, 'set', 'kept', 'in redis'], read: [...redisCli, 'get', 'kept'], value: /^in redis$/m },
  inside: { argv: ['sh', '-c', 'redis-cli -h $HOST -p $PORT ping'], answer: /^PONG/m },
  change: { file: 'redis.conf', from: '256mb', to: '128mb' },
  changed: /134217728/,
  mistake: { file: 'redis.conf', from: 'appendonly yes', to: 'appendonly perhaps' },
  why: /'appendonly perhaps'/,
}
/** Uses Redis by variables. */
const gunicorn: Program = {
  folder: 'gunicorn',
  ask: { host: 'counter.localhost' },
  answer: /^hello visitor \d+/,
  change: { file: 'app.py', from: 'hello visitor', to: 'hello again, visitor' },
  changed: /^hello again, visitor \d+/,
  mistake: { file: 'app.py', from: 'import redis', to: 'import rediss' },
  why: /No module named 'rediss'/,
}
const nginx: Program = {
  folder: 'nginx',
  ask: { host: 'pages.localhost' },
  answer: /^hello from nginx/,
  change: { file: 'html/index.html', from: 'from', to: 'again from' },
  changed: /^hello again/,
  mistake: { file: 'nginx.conf', from: 'root', to: 'rooot' },
  why: /unknown directive "rooot"/,
}
/** Uses Redis by its name, and PostgreSQL by variables if it is there. */
const php: Program = {
  folder: 'php',
  ask: { host: 'guests.localhost' },
  answer: isSoak ? /^hello guest \d+, row \d+$/m : /^hello guest \d+$/m,
  change: { file: 'public/index.php', from: 'hello guest', to: 'hello again, guest' },
  changed: /^hello again, guest \d+/,
  mistake: { file: 'tandem.yaml', from: 'healthz.php', to: 'healthz.php\n  status: 204\n  within: 2s' },
  why: /healthz.php answered 200/,
}

const psql = ['psql', '-h', 'postgres.tandem.internal', '-U', 'postgres', '-Atc']
const postgres: Program = {
  folder: 'postgres',
  ask: { argv: [...psql, 'show max_connections'] },
  answer: /^100$/m,
  keeps: {
    write: [...psql, "create table kept as select 'in postgres' as word"],
    read: [...psql, 'select word from kept'],
    value: /^in postgres$/m,
  },
  change: { file: 'postgresql.conf', from: '= 100', to: '= 50' },
  changed: /^50$/m,
  mistake: { file: 'postgresql.conf', from: '128MB', to: 'much' },
  why: /shared_buffers/,
}
const caddy: Program = {
  folder: 'caddy',
  ask: { host: 'front.localhost' },
  answer: /^hello from caddy/,
  through: { path: '/count', answer: /^hello visitor \d+/ },
  change: { file: 'public/index.html', from: 'from', to: 'again from' },
  changed: /^hello again/,
  mistake: { file: 'Caddyfile', from: 'file_server', to: 'fileserver' },
  why: /unrecognized directive: fileserver/,
}
const erlang: Program = {
  folder: 'erlang',
  ask: { host: 'otp.localhost' },
  answer: /^hello from erlang/,
  change: { file: 'html/index.html', from: 'from', to: 'again from' },
  changed: /^hello again/,
  mistake: { file: 'tandem.yaml', from: '"html"', to: '"hmtl"' },
  why: /hmtl/,
}
const atBroker = ['--server', 'rabbitmq.tandem.internal']
/** Declares a durable queue each time. */
const rabbitmq: Program = {
  folder: 'rabbitmq',
  tools: ['amqp-tools'],
  ask: { argv: ['amqp-declare-queue', ...atBroker, '-d', '-q', 'kept'] },
  answer: /^kept$/m,
  keeps: {
    write: ['amqp-publish', ...atBroker, '-r', 'kept', '-p', '-b', 'in rabbitmq'],
    read: ['amqp-get', ...atBroker, '-q', 'kept'],
    value: /^in rabbitmq$/m,
  },
  inside: { argv: ['/usr/lib/rabbitmq/bin/rabbitmqctl', 'status'], answer: /^RabbitMQ version: /m },
  change: { file: 'rabbitmq.conf', from: '512MB', to: '400MB' },
  changed: /^kept$/m,
  mistake: { file: 'rabbitmq.conf', from: 'vm_memory_high_watermark', to: 'vm_memory' },
  why: /failed_to_prepare_configuration/,
}
const verdaccio: Program = {
  folder: 'verdaccio',
  ask: { host: 'packages.localhost' },
  answer: /Example packages/,
  change: { file: 'config.yaml', from: 'Example packages', to: 'Other packages' },
  changed: /Other packages/,
  mistake: { file: 'config.yaml', from: 'uplinks:', to: 'uplinks: [' },
  why: /config/,
}

/** Services that others use come first. The other ones have large packages or start slowly. */
export const programs: readonly Program[] = isSoak
  ? [redis, postgres, gunicorn, nginx, php, caddy, erlang, rabbitmq, verdaccio]
  : [redis, gunicorn, nginx, php]
