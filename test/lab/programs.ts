/** One replacement in a file of an example. */
export interface Edit {
  file: string
  from: string
  to: string
}

/** An example of a program that nobody here wrote. */
export interface Program {
  /** Its folder in examples/. */
  folder: string
  /** How its users ask it: a requested host at the entry, or a command on machine b. */
  ask: { host: string } | { argv: string[] }
  answer: RegExp
  /** Another good release, and its answer. */
  change: Edit
  changed: RegExp
  /** A release that must not go into traffic, and the words of `push` that say why. */
  mistake: Edit
  why: RegExp
}

const redis: Program = {
  folder: 'redis',
  ask: { argv: ['redis-cli', '-h', 'redis.tandem.internal', 'config', 'get', 'maxmemory'] },
  answer: /268435456/,
  change: { file: 'redis.conf', from: '256mb', to: '128mb' },
  changed: /134217728/,
  mistake: { file: 'redis.conf', from: 'appendonly yes', to: 'appendonly perhaps' },
  why: /'appendonly perhaps'/,
}
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
const php: Program = {
  folder: 'php',
  ask: { host: 'guests.localhost' },
  answer: /^hello guest \d+/,
  change: { file: 'public/index.php', from: 'hello guest', to: 'hello again, guest' },
  changed: /^hello again, guest \d+/,
  mistake: { file: 'tandem.yaml', from: 'healthz.php', to: 'healthz.php\n  status: 204\n  within: 2s' },
  why: /healthz.php answered 200/,
}

/** Small packages, and each starts within a second. Services that others use come first. */
export const programs: readonly Program[] = [redis, gunicorn, nginx, php]
