import { generateIdentity, identityToRecipient } from 'age-encryption'
import type { RolloutView } from '../src/api/views.ts'
import { Pair } from '../test/lab/pair.ts'
import { whyNoLab } from '../test/lab/requirements.ts'
import { web, type Pushed } from '../test/system/rollUnderLoad.ts'
import { median } from './median.ts'

/*
 * Secrets on a pair of real machines: in turn, a restart of a service without secrets, a restart of one with 20, and a
 * rotation of one of the 20 (`tandem secrets put --roll`). ROUNDS.
 */

const rounds = Number(process.env['ROUNDS'] ?? 12)
const many = 20
const [mostStart, mostRotation] = [1.1, 1.2]

const why = whyNoLab()
if (why) {
  console.error(`bench-secrets-pair boots machines and cannot here: ${why}`)
  process.exit(1)
}
const pair = await Pair.open()
try {
  await given()
  await measure()
} finally {
  await pair.close()
}

async function given(): Promise<void> {
  await pair.applyCluster({ more: `recovery: [${await identityToRecipient(await generateIdentity())}]\n` })
  const names = Array.from({ length: many }, (_, index) => `s${index}`)
  for (const name of names)
    await pair.controller.must(['sh', '-c', `printf %s value-of-${name} | tandem secrets put vault/${name} value=-`])
  const routes = (name: string): string => `routes: [{ host: ${name}.example }]\n`
  const secrets = `secrets:\n${names.map((name) => `  ${name}: ${name}\n`).join('')}`
  await pair.roll('plain', web({ name: 'plain', version: '1', more: routes('plain'), drain: 0 }))
  await pair.roll('vault', web({ name: 'vault', version: '1', more: routes('vault') + secrets, drain: 0 }))
}

async function measure(): Promise<void> {
  const found: Record<string, RolloutView[]> = { plain: [], vault: [], rotation: [] }
  for (let round = 0; round < rounds; round++) {
    for (const service of ['plain', 'vault']) found[service]?.push(rolloutIn(await pair.tandem('restart', service)))
    found['rotation']?.push(await rotate(round))
  }
  const [plain, vault, rotation] = ['plain', 'vault', 'rotation'].map((name) => found[name] ?? [])
  const start = (all: RolloutView[] = []): number => median(all.map(startMs))
  const total = (all: RolloutView[] = []): number => median(all.map(totalMs))
  console.log(`${rounds} rounds on two machines, medians`)
  show('order to ready, no secrets', start(plain))
  show(`order to ready, ${many} secrets`, start(vault), start(vault) / start(plain), mostStart)
  show('restart of a service without secrets', total(plain))
  show(`restart of a service with ${many}`, total(vault), total(vault) / total(plain))
  show('rotation of one of them', total(rotation), total(rotation) / total(vault), mostRotation)
}

/** Stores a value and restarts with it; the newest rollout of the service is that restart. */
async function rotate(round: number): Promise<RolloutView> {
  const argv = ['sh', '-c', `printf %s value-${round}-${process.pid} | tandem secrets put vault/s0 value=- --roll`]
  await pair.controller.must(argv)
  const { rollouts } = await pair.tandem<{ rollouts: RolloutView[] }>('rollouts', 'vault')
  const newest = rollouts.at(-1)
  if (!newest) throw new Error('the service has no rollout')
  return newest
}

function rolloutIn({ rollout, exit }: Pushed): RolloutView {
  if (rollout?.state !== 'completed') throw new Error(`exit ${exit}: ${JSON.stringify(rollout)}`)
  return rollout
}

function since(from: string, to: string | null): number {
  return Date.parse(to ?? from) - Date.parse(from)
}

function totalMs({ startedAt, finishedAt }: RolloutView): number {
  return since(startedAt, finishedAt)
}

/** From the order to start until the instance is ready, on the mean of the machines. */
function startMs({ machines }: RolloutView): number {
  const each = machines.map(({ phases }) =>
    phases
      .filter(({ phase }) => phase === 'start' || phase === 'probe')
      .reduce((sum, { startedAt, finishedAt }) => sum + since(startedAt, finishedAt), 0),
  )
  return each.reduce((sum, one) => sum + one, 0) / each.length
}

function show(what: string, value: number, ratio?: number, most?: number): void {
  const cells = [
    `${value.toFixed(0)} ms`.padStart(10),
    ...(ratio === undefined ? [] : [ratio.toFixed(2).padStart(8)]),
    ...(most === undefined ? [] : [`(at most ${most})`.padStart(16)]),
  ]
  console.log(`${what.padEnd(42)}${cells.join('')}`)
}
