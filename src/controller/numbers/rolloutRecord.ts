import type { RolloutNumbers } from '../../api/numbers.ts'
import type { RecordLine } from './recordFile.ts'

type InstanceRecord = RolloutNumbers['instances'][number]
type BalancerRecord = RolloutNumbers['balancers'][number]

/** The differences between the lines of a record, and their sums. */
export function rolloutRecord(rollout: string, lines: readonly RecordLine[], damaged: boolean): RolloutNumbers {
  const machines = Map.groupBy(lines, ({ machine }) => machine)
  const each = [...machines].map(([machine, own]) => recordOf(machine, own))
  return {
    ...{ rollout, damaged },
    instances: each.flatMap(({ instances }) => instances),
    balancers: each.flatMap(({ balancer }) => (balancer ? [balancer] : [])),
  }
}

function recordOf(
  machine: string,
  lines: readonly RecordLine[],
): { instances: InstanceRecord[]; balancer: BalancerRecord | null } {
  const instances = new Map<string, InstanceRecord>()
  const balancer = emptyBalancer(machine)
  let [before, ...rest] = lines
  for (const line of rest) {
    // The first line after the counting began again has nothing to be compared with.
    if (before?.counting === line.counting) {
      const seconds = Math.max(0.001, (line.at - before.at) / 1_000)
      for (const [id, now] of Object.entries(line.instances)) {
        const record = instances.get(id) ?? emptyInstance(machine, id)
        instances.set(id, record)
        addInstance(record, { at: line.at, seconds, now, was: before.instances[id] })
      }
      if (line.balancer) addBalancer(balancer, { at: line.at, seconds, now: line.balancer, was: before.balancer })
    }
    before = line
  }
  return { instances: [...instances.values()], balancer: balancer.at.length > 0 ? balancer : null }
}

function addInstance(
  record: InstanceRecord,
  change: {
    at: number
    seconds: number
    now: RecordLine['instances'][string]
    was: RecordLine['instances'][string] | undefined
  },
): void {
  const { at, seconds, now, was } = change
  const answers = now.answers.map((count, group) => since(was?.answers[group], count))
  const [connections, failed] = [since(was?.connections, now.connections), since(was?.errors, now.errors)]
  answers.forEach((count, group) => (record.answers[group as 0] += count)) // one of the five
  record.connections += connections
  record.failed += failed
  record.at.push(at)
  record.inFlight.push(now.work)
  record.perSecond.push((sum(answers.slice(1)) + connections) / seconds)
  record.errorsPerSecond.push(((answers[4] ?? 0) + failed) / seconds)
}

function addBalancer(
  record: BalancerRecord,
  change: {
    at: number
    seconds: number
    now: NonNullable<RecordLine['balancer']>
    was: RecordLine['balancer']
  },
): void {
  const { at, seconds, now, was } = change
  const own = now.own.map((count, group) => since(was?.own[group], count))
  const retries = since(was?.retries, now.retries)
  own.forEach((count, group) => (record.own[group as 0] += count)) // one of the five
  record.retries += retries
  record.at.push(at)
  record.held.push(now.held)
  record.ownPerSecond.push(sum(own.slice(1)) / seconds)
  record.ownErrorsPerSecond.push((own[4] ?? 0) / seconds)
  record.retriesPerSecond.push(retries / seconds)
}

const emptyInstance = (machine: string, instance: string): InstanceRecord => ({
  ...{ instance, machine, at: [], inFlight: [], perSecond: [], errorsPerSecond: [] },
  ...{ answers: [0, 0, 0, 0, 0], connections: 0, failed: 0 },
})

const emptyBalancer = (machine: string): BalancerRecord => ({
  ...{ machine, at: [], held: [], retriesPerSecond: [], ownPerSecond: [], ownErrorsPerSecond: [] },
  ...{ own: [0, 0, 0, 0, 0], retries: 0 },
})

const since = (before = 0, now: number): number => Math.max(0, now - before)
const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0)
