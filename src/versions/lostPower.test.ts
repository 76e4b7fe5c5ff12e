import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentUnit, privilegedUnit } from '../layout/units.ts'
import { randomRun } from '../lib/testing/randomRun.ts'
import { seededRandom } from '../lib/testing/seededRandom.ts'
import type { Installation } from '../parts/parts.ts'
import { installed } from '../parts/partsFiles.ts'
import { LossyMachine, type Cut, type Rest } from './testing/lossyMachine.ts'
import type { Version } from './testing/versionsOn.ts'

const every = 8
let root: string
beforeAll(() => {
  const parent = join(import.meta.dirname, '../../tmp')
  mkdirSync(parent, { recursive: true })
  root = mkdtempSync(join(parent, 'machine-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Made {
  effects: number
  seen: LossyMachine['seen']
  rest: Rest
}

const ofRoot = { owner: 'root', group: 'root' }

/** The parts of a version: agent and helper with a text of their own, and what only this version has. */
function parts(name: string, own: { user?: string; group?: string; folder?: string; unit?: string }): Installation {
  const units = [
    { name: privilegedUnit, text: `helper of ${name}`, isEnabled: false, words: ['agent', 'privileged'] },
    { name: agentUnit, text: `agent of ${name}`, isEnabled: true, words: ['agent', 'run'] },
  ]
  const more = { text: `more of ${name}`, isEnabled: true, words: ['collect'] }
  return {
    users: ['tandem', ...(own.user ? [own.user] : [])],
    groups: own.group ? [own.group] : [],
    folders: [
      { path: '/data', mode: name.length, ...ofRoot },
      ...(own.folder ? [{ path: own.folder, mode: 0o750, owner: own.user ?? 'root', group: 'root' }] : []),
    ],
    units: [...(own.unit ? [{ name: own.unit, ...more }] : []), ...units],
  }
}

const release = (letter: string): string => letter.repeat(64)
const version = (letter: string, wanted: Installation, works = true): Version => ({
  ...{ id: release(letter), version: letter, works, parts: { digest: letter, wanted } },
})

const joined = parts('first', { unit: 'former.service' })
/** The versions `first` and `again` know nothing of parts, as 1cc9083. */
const first: Version = { id: installed, version: '1', works: true, parts: null }
const again: Version = { ...first, id: release('a') }
const b = version('b', parts('second', { user: 'collector', folder: '/collected', unit: 'collector.service' }))
const c = version(
  'c',
  parts('the third', { user: 'prober', group: 'readers', folder: '/probed', unit: 'prober.socket' }),
)
const d = version('d', parts('the fourth', { group: 'readers', unit: 'prober.socket' }))
const broken = version('e', parts('broken', { user: 'breaker', folder: '/broken', unit: 'broken.service' }), false)
const all = [first, again, b, c, d, broken]

/** Each begins where the one before ended. */
const steps: { does: string; to: Version }[] = [
  { does: 'an upgrade that fails', to: broken },
  { does: 'an upgrade', to: b },
  { does: 'an upgrade to the next version', to: c },
  { does: 'an upgrade that fails, over an upgrade', to: broken },
  { does: 'a return', to: b },
  { does: 'an upgrade after a return', to: c },
  { does: 'an upgrade over two others', to: d },
  { does: 'a return across two versions', to: b },
  { does: 'an upgrade across one', to: d },
  { does: 'a return to the first version, as a release', to: again },
  { does: 'an upgrade from there', to: c },
  { does: 'a return to the installed version', to: first },
]

/** Makes this step from there. An operator repeats it if a failure of the machine let it fail. */
async function make(step: number, from: Installation | Rest, random: () => number, cut?: Cut): Promise<Made> {
  const machine = new LossyMachine(root, all, from, random)
  const { to } = steps[step] ?? { to: first }
  if (cut) machine.failAt(cut)
  for (let tries = 1; !(await machine.upgrade(`u${step}-${tries}/forward`, to)) && to.works; tries++)
    if (tries === 3) throw new Error(`it failed ${tries} times`)
  const { effects, seen } = machine
  return { effects, seen, rest: machine.stop() }
}

describe('a machine that is killed or loses its power at any moment ends as one that is not', () => {
  // An eighth of the effects in `make test`, half of them in `make check`, each of them five times in `make soak`.
  const { seed, count } = randomRun('lost_power', { check: every / 2, soak: 5 * every })
  let from: Installation | Rest = joined
  const partsOf = new Map<string, object>()
  it.each(steps.map(({ does }, step) => ({ does, step })))('$does', async ({ step }) => {
    const start = from
    const { rest, seen } = await make(step, start, seededRandom(seed))
    from = rest
    const runs = seen.runs === again.id ? installed : (seen.runs ?? '')
    const { units, users, groups, folders } = rest.state
    const made = { units, users, groups, folders }
    expect(made, 'a version has the same parts whenever it runs').toEqual(partsOf.get(runs) ?? made)
    partsOf.set(runs, made)
    for (let round = 0; round < count; round++) {
      const random = seed + Math.floor(round / every)
      const whole = await make(step, start, seededRandom(random))
      for (let at = 1 + ((seed + round) % every); at <= whole.effects; at += every)
        for (const how of ['killed', 'all', 'none', 'some'] as const) {
          const failure = `${how} at ${at}, TANDEM_SEED=${seed}`
          const cut = await make(step, start, seededRandom(random), { at, how }).catch((error: unknown) => {
            throw new Error(failure, { cause: error })
          })
          expect(cut.seen, failure).toEqual(whole.seen)
        }
    }
  })
})
