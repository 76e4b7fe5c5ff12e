import { expect, it } from 'vitest'
import type { PastStatus } from '../../src/api/past.ts'
import type { Status } from '../../src/api/views.ts'
import { Past } from '../../src/controller/past/past.ts'
import { pastStatusView, recordedIn } from '../../src/controller/past/pastStatusView.ts'
import { statusView } from '../../src/controller/statusView.ts'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import type { RolloutView } from '../../src/projections/rolloutHistory.ts'
import { Snapshots } from '../../src/store/snapshots.ts'
import { MemorySnapshotStore } from '../../src/store/testing/memorySnapshotStore.ts'
import { RandomHistory } from './randomHistory.ts'

/** Recorded while it was the present. */
interface Live {
  at: string
  status: Status
  rollouts: RolloutView[]
}

const { seed, count } = randomRun('past', { check: 100, soak: 5_000 })

it(`a past position is as it was when it was the present, at ${count} positions (TANDEM_SEED=${seed})`, async () => {
  const random = seededRandom(seed)
  for (let [round, left] = [0, count]; left > 0; round++) {
    const lived = new Map<number, Live>()
    const store = new MemorySnapshotStore()
    const limits = { spacing: 20, count: 100, bytes: 1e9 }
    const snapshots = new Snapshots({ store, version: 'v1', every: 20, limits, unusable: never })
    const { cluster } = await RandomHistory.run(seed + round, {
      watch: (controller) =>
        controller.onChange((events) => {
          const [last, { position }] = [events.at(-1), controller.state]
          // A machine refuses the controller.
          if (!last) return
          const [status, rollouts] = structuredClone([statusView(controller), controller.history.all()] as const)
          lived.set(position, { at: last.at, status, rollouts })
          if (random() < 0.1) void snapshots.keep({ position, text: controller.fold.snapshot() })
        }),
    })
    const { log, config, clock } = cluster.controller
    const past = new Past({ log, config, snapshots, clock })
    const chosen = [...lived].filter(() => random() < 0.5).slice(0, left)
    for (const [position, live] of chosen) {
      const then = await cluster.wait(past.state(String(position)))
      const { asOf, ...status } = pastStatusView(config, then)
      const about = `TANDEM_SEED=${seed + round}, position ${position}`
      expect(asOf, about).toEqual({ position, at: live.at })
      expect(withStates(status), about).toEqual(withStates(recordedIn(live.status), status))
      expect(then.fold.history.all(), about).toEqual(live.rollouts)
    }
    left -= chosen.length
  }
}, 3_600_000)

/**
 * The log says that an instance drains from the order to stop it, and that it failed, and why, until it is steady again.
 * `status` shows meanwhile how its machine last reported it: there `log` counts.
 */
function withStates(status: Omit<PastStatus, 'asOf'>, log = status): Omit<PastStatus, 'asOf'> {
  const recorded = new Map(log.services.flatMap(({ instances }) => instances.map((one) => [one.id, one])))
  const services = status.services.map((service) => ({
    ...service,
    instances: service.instances.map((one) => {
      const { state = one.state, reason = null } = recorded.get(one.id) ?? {}
      return state === 'draining' || state === 'failed' ? { ...one, state, reason } : one
    }),
  }))
  return { ...status, services }
}

function never(position: number, error: unknown): never {
  throw new Error(`the snapshot at ${position} cannot be used`, { cause: error })
}
