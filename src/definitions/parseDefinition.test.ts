import { describe, expect, it } from 'vitest'
import { aDefinition } from './testing/aDefinition.ts'
import { parseDefinition } from './parseDefinition.ts'
import { DefinitionError, renderProblems } from './problem.ts'

function errorOf(text: string): DefinitionError {
  try {
    parseDefinition(text, 'tandem.yaml')
  } catch (error) {
    if (error instanceof DefinitionError) return error
    throw error
  }
  throw new Error('it was accepted')
}

/** `line:col message -> suggestion` of each problem. */
const problems = (text: string): string[] =>
  errorOf(text).problems.map(
    ({ line, column, message, suggestion }) =>
      `${line}:${column} ${message}${suggestion === null ? '' : ` -> ${suggestion}`}`,
  )

const minimal = 'service: shop\nrun: ./server\n'
const warnings = (more: string): string[] =>
  parseDefinition(minimal + more, 'f').warnings.map(({ line, column, message }) => `${line}:${column} ${message}`)

describe('a definition', () => {
  it('has every default', () => {
    expect(parseDefinition(minimal, 'f')).toEqual({ definition: aDefinition(), warnings: [] })
  })

  it('reads every key', () => {
    const { definition } = parseDefinition(
      `
service: broker
run: ["./broker", "-p", 5672]
build: { command: make all, output: ./out/bin/, test: make test }
prepare: ./migrate --to "latest version"
listen: tcp
health: { path: /up, every: 50ms, timeout: 1.5s, within: 1h, settle: 0s }
routes: [{ port: 5672 }, { port: 15672, expose: public }]
machines: [a, b-2]
instances: 3
rollout: { strategy: replace, drain: 10m }
stop: { signal: SIGQUIT, within: 0s }
env: { A: 1.10, B: true, C: "", D: 12345678901234567890 }
limits: { memory: 1.5G, cpu: 0.5, tasks: 10, body: 1K }
idle: 10m
environments: { staging: { env: { A: x }, routes: [{ port: 1, expose: local }], machines: [c], instances: 1, limits: { cpu: 2 } }, prod: {} }
`,
      'f',
    )
    expect(definition).toEqual({
      service: 'broker',
      run: ['./broker', '-p', '5672'],
      build: { command: 'make all', output: 'out/bin', test: 'make test' },
      prepare: ['./migrate', '--to', 'latest version'],
      listen: 'tcp',
      health: { path: '/up', everyMs: 50, timeoutMs: 1500, withinMs: 3_600_000, settleMs: 0 },
      routes: [
        { port: 5672, expose: 'local', byDefault: true },
        { port: 15_672, expose: 'public' },
      ],
      machines: ['a', 'b-2'],
      instances: 3,
      rollout: { strategy: 'replace', drainMs: 600_000 },
      stop: { signal: 'SIGQUIT', withinMs: 0 },
      env: { A: '1.10', B: 'true', C: '', D: '12345678901234567890' },
      limits: { memoryBytes: 1.5 * 1024 ** 3, cpu: 0.5, tasks: 10, bodyBytes: 1024 },
      idleMs: 600_000,
      environments: {
        staging: {
          env: { A: 'x' },
          routes: [{ port: 1, expose: 'local' }],
          machines: ['c'],
          instances: 1,
          limits: { cpu: 2 },
        },
        prod: {},
      },
    })
  })

  it('accepts anchors and aliases', () => {
    const { definition } = parseDefinition(`service: shop\nrun: &r ["./a", &x "b"]\nprepare: *r\nenv: { A: *x }\n`, 'f')
    expect([definition.prepare, definition.env]).toEqual([['./a', 'b'], { A: 'b' }])
  })

  it('lowers hosts and removes the slash at the end of a path', () => {
    const text = `${minimal}routes: [{ host: Shop.Example.COM }, { path: /api/ }, { host: a.b, path: / }]`
    expect(parseDefinition(text, 'f').definition.routes).toEqual([
      { host: 'shop.example.com', path: '/' },
      { host: null, path: '/api' },
      { host: 'a.b', path: '/' },
    ])
  })
})

describe('problems', () => {
  it('are all reported at once, in order, each with its line, a caret and a suggestion', () => {
    const error = errorOf('service: shop\nrun: ./server --port ${PRT}\nrolout: {}\n\nhealth:\n  every: 5\n')
    expect(error.code).toBe('E_DEFINITION')
    expect(error.message).toBe('tandem.yaml:2:22: ${PRT} is not set, neither by Tandem nor under `env` (and 2 more)')
    expect(error.render()).toBe(
      [
        'tandem.yaml:2:22: ${PRT} is not set, neither by Tandem nor under `env`',
        '  2 | run: ./server --port ${PRT}',
        '                           ^',
        '  did you mean: ${PORT}',
        '',
        'tandem.yaml:3:1: unknown key `rolout` in the definition',
        '  3 | rolout: {}',
        '      ^',
        '  did you mean: rollout',
        '',
        'tandem.yaml:6:10: "5" is not a duration such as 500ms, 30s, 10m or 1h',
        '  6 |   every: 5',
        '               ^',
        '  did you mean: 5s',
      ].join('\n'),
    )
  })

  it.each<[string, string[]]>([
    ['run: ./a', ['1:1 the required key `service` is missing (Name of the service)']],
    ['service: shop', ['1:1 the required key `run` is missing (The command of one instance)']],
    ['name: shop\nrun: ./a', ['1:1 unknown key `name` in the definition -> service']],
    [
      'service: My Shop\nrun: ./a',
      [
        `1:10 "My Shop" is not a name: a to z, 0 to 9 and dashes, starting with a letter, at most 40 characters -> my-shop`,
      ],
    ],
    [
      'service: 12\nrun: ./a',
      [
        `1:10 expected a name: a to z, 0 to 9 and dashes, starting with a letter, at most 40 characters, found the number 12`,
      ],
    ],
    [`service: ${'a'.repeat(41)}\nrun: ./a`, [expect.stringContaining('1:10 "aaa') as string]],
    ['service: shop\nrun: "./a \'b"', ['2:6 the single quote at character 5 of the command is never closed']],
    ['service: shop\nrun: []', ['2:6 the list of words is empty']],
    ['service: shop\nrun: ""', ['2:6 the command is empty']],
    ['service: shop\nrun: [""]', ['2:7 the program to run is an empty word']],
    ['service: shop\nrun: ["a\\0b"]', ['2:7 holds a NUL character']],
    ['service: shop\nrun: ["a", [b]]', ['2:12 expected a word of the command, found a list']],
    ['service: shop\nrun:', ['2:5 expected a command (a text, or a list of words), found nothing']],
    [
      'service: shop\nrun: PORT=80 node server.js',
      [
        '2:6 `PORT=80` is an assignment, not a program, and no shell runs this; `PORT` is set by Tandem for every instance; it cannot be set here -> node server.js',
      ],
    ],
    [
      'service: shop\nrun: DEBUG=1 LEVEL=info ./a --port ${PORT}',
      [
        '2:6 `DEBUG=1` is an assignment, not a program, and no shell runs this; write it under `env`, as DEBUG: "1" -> ./a --port ${PORT}',
      ],
    ],
    [
      'service: shop\nrun: ./a\nprepare: ["RAILS_ENV=production", bin/rails]',
      [
        '3:12 `RAILS_ENV=production` is an assignment, not a program, and no shell runs this; write it under `env`, as RAILS_ENV: "production"',
      ],
    ],
    ['service: shop\nrun: 5', ['2:6 expected a command (a text, or a list of words), found the number 5']],
  ])('%j', (text, expected) => {
    expect(problems(text)).toEqual(expected)
  })

  it.each<[string, string[]]>([
    ['health: { drain: 1s }', ['3:11 unknown key `drain` in `health` -> rollout.drain']],
    ['health: { routes: [] }', ['3:11 unknown key `routes` in `health`; it belongs at the top level']],
    ['drain: 3s', ['3:1 unknown key `drain` in the definition -> rollout.drain']],
    ['replicas: 3', ['3:1 unknown key `replicas` in the definition -> instances']],
    ['health: { pth: / }', ['3:11 unknown key `pth` in `health` -> path']],
    ['<<: { run: b }', ['3:1 YAML merge keys (`<<`) are not understood; write the keys out']],
    ['__proto__: { run: b }', ['3:1 unknown key `__proto__` in the definition']],
    ['constructor: 1', ['3:1 unknown key `constructor` in the definition']],
    ['service: again', ['3:1 the key `service` occurs twice']],
    ['1: x', ['3:1 unknown key `1` in the definition']],
    ['listen: HTTP', ['3:9 "HTTP" is none of http, tcp, none -> http']],
    ['listen: [http]', ['3:9 expected one of http, tcp, none, found a list']],
    ['health: /up', ['3:9 expected `health`, found the text "/up"']],
    ['health: { timeout: 2 }', ['3:20 "2" is not a duration such as 500ms, 30s, 10m or 1h -> 2s']],
    ['health: { timeout: -2s }', ['3:20 "-2s" is not a duration such as 500ms, 30s, 10m or 1h']],
    ['health: { timeout: 1h30m }', ['3:20 "1h30m" is not a duration such as 500ms, 30s, 10m or 1h -> 90m']],
    ['health: { every: 1ms }', ['3:18 1ms is too short; the least is 10ms']],
    ['rollout: { drain: 999999999h }', ['3:19 999999999h is longer than a year']],
    [
      'stop: { signal: TERM }',
      ['3:17 "TERM" is none of SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGKILL -> SIGTERM'],
    ],
    ['limits: { memory: 512 }', ['3:19 "512" is not a size such as 512K, 512M or 1G -> 512M']],
    ['limits: { memory: 512MB }', ['3:19 "512MB" is not a size such as 512K, 512M or 1G -> 512M']],
    ['limits: { memory: 536870912 }', ['3:19 "536870912" is not a size such as 512K, 512M or 1G -> 512M']],
    ['limits: { memory: 1K }', ['3:19 1K is too small; the least is 4096K']],
    ['limits: { cpu: "1" }', ['3:16 expected processors: a number from 0.01 to 1024, found the text "1" -> 1']],
    ['limits: { cpu: .inf }', ['3:16 .inf is not processors: a number from 0.01 to 1024']],
    ['instances: 0', ['3:12 0 is out of range; expected instances: a whole number from 1 to 100']],
    ['instances: 101', ['3:12 101 is out of range; expected instances: a whole number from 1 to 100']],
    ['instances: 1.5', ['3:12 1.5 is not instances: a whole number from 1 to 100']],
    ['instances: 1e400', ['3:12 1e400 is not instances: a whole number from 1 to 100']],
    ['machines: []', ['3:11 the list of machine names is empty']],
    ['machines: [a, a]', ['3:15 "a" occurs twice in this list']],
    ['machines: a', ['3:11 expected a list of machine names, found the text "a"']],
    ['build: npm ci', ['3:8 expected `build`, found the text "npm ci"']],
  ])('%j', (more, expected) => {
    expect(problems(minimal + more)).toEqual(expected)
  })

  it.each([
    '../x',
    'a/../b',
    '/etc',
    '~/x',
    'C:\\x',
    'a\\..\\b',
    '.',
    './/',
    '""',
    '"a\\0b"',
    '"a\\nb"',
    'x'.repeat(2000),
  ])('output %j is refused', (output) => {
    expect(problems(`${minimal}build: { output: ${output} }`)).toEqual([expect.stringMatching(/^3:18 /)])
  })

  it.each<[string, string[]]>([
    [
      'routes: []',
      ['3:9 the list of routes is empty; leave `routes` out for any host and path `/`, or write `listen: none`'],
    ],
    ['routes: [{}]', ['3:10 a route needs a host, a path, or both']],
    [
      'routes: [{ port: 80 }]',
      ['3:18 a route with a port needs `listen: tcp` or `expose: local`; this service listens http'],
    ],
    [
      'routes: [{ port: 80, expose: public }]',
      ['3:18 a route with a port needs `listen: tcp` or `expose: local`; this service listens http'],
    ],
    ['routes: [{ expose: local }]', ['3:10 a local http route needs a port, such as { port: 8080, expose: local }']],
    [
      'routes: [{ host: a.b, port: 80, expose: local }]',
      ['3:18 a local http route has only a port: it does not answer at the entry; only public routes have `host`'],
    ],
    ['routes: [{ path: /, expose: lokal }]', ['3:29 "lokal" is none of public, local -> local']],
    ['listen: tcp\nroutes: [{ port: 1, expose: true }]', ['4:29 "true" is none of public, local']],
    [
      'routes: [{ host: "*.a.b" }]',
      ['3:18 wildcard hosts are not supported; name each host, or leave `host` out for any'],
    ],
    ['routes: [{ host: "https://a.b/" }]', ['3:18 "https://a.b/" is not a host name such as shop.example.com -> a.b']],
    ['routes: [{ host: a b }]', ['3:18 "a b" is not a host name such as shop.example.com']],
    ['routes: [{ path: api }]', ['3:18 a path starts with / -> /api']],
    ['routes: [{ path: /a?b=1 }]', ['3:18 a path holds no query and no fragment -> /a']],
    ['routes: [{ path: /a/../b }]', ['3:18 the path has a segment `.` or `..`, which no request has']],
    ['routes:\n  - path: /a\n  - path: /a/', ['5:5 the route any host /a occurs twice, first on line 4']],
    ['routes: [{ host: a.b }, { host: A.B, path: / }]', ['3:25 the route a.b/ occurs twice, first on line 3']],
    ['listen: tcp', ['3:9 `listen: tcp` needs `routes` with a port, such as routes: [{ port: 5672 }]']],
    ['listen: tcp\nroutes: []', ['4:9 `listen: tcp` needs a route, such as { port: 5672 }']],
    [
      'listen: tcp\nroutes: [{ host: a }, {}]',
      [
        '4:18 a tcp route has only a port; `host` needs `listen: http`',
        '4:23 a tcp route needs a port, such as { port: 5672 }',
      ],
    ],
    ['listen: tcp\nroutes: [{ port: 1 }, { port: 1 }]', ['4:23 the route port 1 occurs twice, first on line 4']],
    [
      'listen: tcp\nroutes: [{ port: 70000 }]',
      ['4:18 70000 is out of range; expected a port: a whole number from 1 to 65535'],
    ],
    ['listen: none\nroutes: [{ path: / }]', ['4:9 a worker (`listen: none`) takes no routes']],
    [
      'listen: none\nenvironments: { s: { routes: [{ path: / }] } }',
      ['4:30 a worker (`listen: none`) takes no routes'],
    ],
    [
      'environments: { s: { routes: [{ port: 1 }] } }',
      ['3:39 a route with a port needs `listen: tcp` or `expose: local`; this service listens http'],
    ],
  ])('%j', (more, expected) => {
    expect(problems(minimal + more)).toEqual(expected)
  })

  it.each<[string, string[]]>([
    ['env: { PORT: 1 }', ['3:8 `PORT` is set by Tandem for every instance; it cannot be set here']],
    ['env: { TANDEM_X: 1 }', ['3:8 `TANDEM_X`: names that start with TANDEM_ are set by Tandem']],
    [
      'env: { A-B: 1 }',
      ['3:8 `A-B` is not a name for an environment variable (letters, digits and _, not starting with a digit)'],
    ],
    ['env: { __proto__: 1 }', ['3:8 `__proto__` is not a name that can be set']],
    ['env: { A: }', ['3:11 expected a text, found nothing']],
    ['env: { A: [1] }', ['3:11 expected a text, found a list']],
    ['env: [A=1]', ['3:6 expected a map of environment variables, found a list']],
    ['env: { A: "x ${LEVL}", LEVEL: a }', ['3:14 ${LEVL} is not set, neither by Tandem nor under `env` -> ${LEVEL}']],
    [
      'env: { A: "${PORT:-80}" }',
      ['3:12 ${PORT:-80} is not of the form ${NAME}: no defaults, no blanks; `$$` stands for a dollar -> ${PORT}'],
    ],
    ['env: { A: "${" }', ['3:12 `${` is never closed; write `$$` for a dollar']],
    ['env: { A: "${A}" }', ['3:11 needs itself: A -> A']],
    ['env: { A: "${B}", B: "${C}", C: "${B}" }', ['3:22 needs itself: B -> C -> B']],
    ['env: { A: x }\nenvironments: { s: { env: { B: "${A}", A: "${B}" } } }', ['4:32 needs itself: B -> A -> B']],
    [
      'env: { X: "${A}" }\nenvironments: { s: { env: { A: 1 } }, p: {} }',
      ['3:12 ${A} is set for s but not for p; set it there or in `env`'],
    ],
    ['environments: { s: { env: { B: "${NO}" } } }', ['3:33 ${NO} is not set, neither by Tandem nor under `env`']],
    [
      'environments: { s: { listen: tcp } }',
      [
        '3:22 unknown key `listen` in an environment; an environment may change only env, routes, machines, instances and limits',
      ],
    ],
    [
      'environments: { S: {} }',
      ['3:17 `S` is not a name: a to z, 0 to 9 and dashes, starting with a letter, at most 40 characters'],
    ],
    [
      `env: { A: ${'x'.repeat(131_070)} }`,
      [
        '3:11 the variable has, with its name, 131072 bytes, and no program can be started with more than 131071; put it into a file of the release, and pass the file name',
      ],
    ],
    [
      `environments: { s: { env: { A: ${'é'.repeat(65_535)} } } }`,
      [expect.stringContaining('3:32 the variable has, with its name, 131072 bytes') as string],
    ],
    [`prepare: [a, ${'x'.repeat(131_072)}]`, [expect.stringContaining('3:14 a word has 131072 bytes') as string]],
    ['env: { A: "${B}", B: "${C}" }', ['3:23 ${C} is not set, neither by Tandem nor under `env`']],
    ['environments: { s: { machines: [] } }', ['3:32 the list of machine names is empty']],
  ])('%j', (more, expected) => {
    expect(problems(minimal + more)).toEqual(expected)
  })

  it('accept a name that every overlay sets, with a warning', () => {
    expect(warnings('env: { X: "${A}" }\nenvironments: { s: { env: { A: 1 } } }')).toEqual([
      '3:12 ${A} is set only for s; in any other cluster the service cannot start',
    ])
  })

  it('never change the colour of a terminal or control it', () => {
    const error = errorOf('service: "a\u001b[31m\u202Eb"\nrun: ./a')
    for (const text of [renderProblems(error.problems), error.message]) {
      expect(text).not.toContain('\u001b')
      expect(text).not.toContain('\u202e')
    }
  })
})

describe('warnings', () => {
  it('show where a timeout would cut a connection that the definition promises to keep', () => {
    const silent = 'listen: tcp\nroutes: [{ port: 5672 }]\n'
    expect(warnings(`${silent}idle: 720h\n`)).toEqual([expect.stringContaining('24 days')])
    expect(warnings(`${silent}idle: 10s\n`)).toEqual([expect.stringContaining('shorter than `rollout.drain`')])
    expect(warnings(`${silent}idle: 10m\n`)).toEqual([])
    expect(warnings(silent)).toEqual([])
  })

  it.each<[string, string[]]>([
    [
      'listen: none\nhealth: { path: /up }',
      ['4:17 has no effect with `listen: none`: only http services are probed at a path'],
    ],
    [
      'health: { settle: 2s }',
      ['3:19 has no effect with `listen: http`: only a worker (`listen: none`) is ready by staying up'],
    ],
    ['prepare: a && b', ['3:10 no shell runs this: `&&` is passed to the program as a word']],
    ['prepare: a $PATH', ['3:12 no shell runs this: `$PATH` is passed to the program unchanged']],
    ['prepare: [sh, -c, "a $PATH && b"]', []],
    ['prepare: ~/bin/a --in ~', ['3:10 no shell runs this: `~` is passed to the program unchanged']],
    ['prepare: [sh, -c, "~/bin/a"]', []],
    ['env: { A: ~/data, B: a~b }', ['3:11 no shell runs this: `~` is passed to the program unchanged']],
    ['environments: { s: { env: { A: "~" } } }', ['3:33 no shell runs this: `~` is passed to the program unchanged']],
    [`env: { A: ${'x'.repeat(131_069)} }`, []],
    ['prepare: a ${PORT}', ['3:12 ${PORT} is empty here: `prepare` runs before there is an instance']],
    ['stop: { signal: SIGKILL }', ['3:17 SIGKILL gives an instance no time to finish its work; SIGTERM does']],
    ['health: { timeout: 40s }', ['3:20 longer than `health.within`: one slow probe fails the rollout']],
  ])('%j', (more, expected) => {
    expect(warnings(more)).toEqual(expected)
  })
})
