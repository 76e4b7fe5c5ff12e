import type { Event } from '../events/event.ts'
import type { Surroundings } from './observedPart.ts'
import type { UpgradeState } from './state.ts'

/** A request; ids are made outside and come with it. */
export interface StartUpgrade {
  upgrade: string
  version: string
  release: string
}

export type UpgradeDecision =
  | { type: 'accepted'; events: Event[] }
  | { type: 'nothing' }
  | {
      type: 'refused'
      code: 'E_UPGRADE_IN_PROGRESS' | 'E_NOT_UPGRADABLE' | 'E_MACHINE_BUSY'
      message: string
      subject: string
      next: string
    }

const refuse = (
  code: Extract<UpgradeDecision, { code: string }>['code'],
  message: string,
  subject: string,
  next: string,
): UpgradeDecision => ({ type: 'refused', code, message, subject, next })

/** Takes up an upgrade of every part that is there and does not have it yet. Lost machines are gone round. */
export function startUpgrade({ current }: UpgradeState, around: Surroundings, start: StartUpgrade): UpgradeDecision {
  const { upgrade, version, release } = start
  if (current && current.stage !== 'over') {
    const message = `upgrade ${current.id} to ${current.version} goes on`
    return refuse('E_UPGRADE_IN_PROGRESS', message, current.id, 'tandem upgrade --show   follows it')
  }
  if (around.isBusy) {
    return refuse(
      'E_MACHINE_BUSY',
      'a machine operation is in progress; one at a time',
      version,
      'tandem machines   shows which',
    )
  }
  const present = around.parts.filter(({ isLost }) => !isLost)
  const silent = present.find(({ hasReported }) => !hasReported)
  if (silent) {
    const message = `${silent.part} has not reported since the controller started`
    return refuse('E_NOT_UPGRADABLE', message, silent.part, 'try again in a moment: tandem machines')
  }
  const fixed = present.find(({ program }) => program === null)
  if (fixed) {
    const message = `${fixed.part} is not run by a systemd unit of its own`
    return refuse('E_NOT_UPGRADABLE', message, fixed.part, 'start it anew there with the new version instead')
  }
  const far = present.find((part) => !areNeighbours(part.version, version))
  if (far) {
    const message = `${far.part} runs ${far.version}: only neighbouring minor versions work together, and this is ${version}`
    return refuse('E_NOT_UPGRADABLE', message, far.part, 'upgrade by way of the versions between')
  }
  const parts = present.flatMap(({ part, program, version: ran }) =>
    program && program.release !== release ? [{ part, release: program.release, version: ran }] : [],
  )
  if (parts.length === 0) return { type: 'nothing' }
  return { type: 'accepted', events: [{ type: 'UpgradeStarted', data: { upgrade, version, release, parts } }] }
}

/** Of one major version, and at most one minor version apart: what is promised to work together. */
export function areNeighbours(one: string, other: string): boolean {
  const [major, minor] = numbers(one)
  const [otherMajor, otherMinor] = numbers(other)
  return major === otherMajor && Math.abs(minor - otherMinor) <= 1
}

function numbers(version: string): [number, number] {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? []
  return [Number(major ?? Number.NaN), Number(minor ?? Number.NaN)]
}
