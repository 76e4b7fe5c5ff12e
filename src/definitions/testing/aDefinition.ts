import type { Definition } from '../definition.ts'

/** A small http service called `shop` with every default, for tests; `over` changes the fields that a test is about. */
export const aDefinition = (over: Partial<Definition> = {}): Definition => ({
  service: 'shop',
  run: ['./server'],
  build: { command: null, output: null, test: null },
  prepare: null,
  listen: 'http',
  health: { path: '/', everyMs: 100, timeoutMs: 2_000, withinMs: 30_000, settleMs: 1_000 },
  routes: null,
  machines: null,
  instances: 1,
  rollout: { strategy: 'overlap', drainMs: 30_000 },
  stop: { signal: 'SIGTERM', withinMs: 10_000 },
  env: {},
  limits: { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null },
  idleMs: null,
  environments: {},
  ...over,
})
