/** The colour of a state, by the role that it plays: see `tokens.css`. */
export type Tone = 'ok' | 'act' | 'warn' | 'bad' | 'quiet'

export type Shape =
  | 'disc'
  | 'half'
  | 'low'
  | 'cross'
  | 'triangle'
  | 'square'
  | 'dashed'
  | 'dash'
  | 'ring'
  | 'check'
  | 'back'
  | 'play'
  | 'swap'
  | 'lines'

interface State {
  shape: Shape
  word: string
  tone: Tone
}

/**
 * Every state that a page shows: one shape, one word, one tone. Only `ready` may drop its visible word, because it alone
 * is a small solid disc.
 */
export const states = {
  ready: { shape: 'disc', word: 'ready', tone: 'ok' },
  starting: { shape: 'half', word: 'starting', tone: 'act' },
  draining: { shape: 'low', word: 'draining', tone: 'act' },
  drained: { shape: 'square', word: 'drained', tone: 'quiet' },
  failed: { shape: 'cross', word: 'failed', tone: 'bad' },
  crashing: { shape: 'cross', word: 'crash loop', tone: 'bad' },
  behind: { shape: 'triangle', word: 'behind', tone: 'warn' },
  ending: { shape: 'triangle', word: 'ends soon', tone: 'warn' },
  cut: { shape: 'triangle', word: 'lost lines', tone: 'warn' },
  stopped: { shape: 'square', word: 'stopped', tone: 'quiet' },
  lost: { shape: 'dashed', word: 'lost', tone: 'bad' },
  unknown: { shape: 'dashed', word: 'unknown', tone: 'quiet' },
  'not live': { shape: 'dashed', word: 'not live', tone: 'bad' },
  unplaced: { shape: 'dash', word: 'not placed here', tone: 'quiet' },
  waiting: { shape: 'ring', word: 'waiting', tone: 'quiet' },
  untouched: { shape: 'ring', word: 'untouched', tone: 'quiet' },
  running: { shape: 'play', word: 'running', tone: 'act' },
  done: { shape: 'check', word: 'done', tone: 'ok' },
  completed: { shape: 'check', word: 'completed', tone: 'ok' },
  reverting: { shape: 'back', word: 'reverting', tone: 'warn' },
  reverted: { shape: 'back', word: 'reverted', tone: 'warn' },
  aborted: { shape: 'back', word: 'aborted', tone: 'warn' },
  moved: { shape: 'swap', word: 'moved', tone: 'quiet' },
  noted: { shape: 'lines', word: 'noted', tone: 'quiet' },
} as const satisfies Record<string, State>

export type StateName = keyof typeof states

/** The state of this name; a newer controller may name one that this page does not know. */
export const stateOf = (name: string): State =>
  Object.hasOwn(states, name) ? states[name as StateName] : { ...states.unknown, word: name }
