import { accepted, refuse, type Decision } from '../decision/refuse.ts'
import type { Surroundings } from './observedPart.ts'
import { runningUpgrade, type UpgradeState } from './state.ts'

/** The request to start an upgrade; its ids are made outside. */
export interface StartUpgrade {
  type: 'StartUpgrade'
  upgrade: string
  version: string
  release: string
}

/** Starts an upgrade of every present part that does not run the version yet. Lost machines are skipped. */
export function startUpgrade(state: UpgradeState, around: Surroundings, start: Omit<StartUpgrade, 'type'>): Decision {
  const current = runningUpgrade(state)
  const { upgrade, version, release } = start
  if (current) {
    const message = `upgrade ${current.id} to ${current.version} is still in progress`
    return refuse('E_UPGRADE_IN_PROGRESS', message, current.id, 'tandem upgrade --show   shows its progress')
  }
  if (around.isBusy) {
    return refuse(
      'E_MACHINE_BUSY',
      'a machine operation is in progress; only one may run at a time',
      version,
      'tandem machines   shows the operation',
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
    const message = `${fixed.part} does not run in its own systemd unit`
    return refuse(
      'E_NOT_UPGRADABLE',
      message,
      fixed.part,
      'install the new version on that machine and restart the process instead',
    )
  }
  const far = present.find((part) => !areNeighbours(part.version, version))
  if (far) {
    const message = `${far.part} runs ${far.version}: only neighbouring minor versions work together, and the new version is ${version}`
    return refuse('E_NOT_UPGRADABLE', message, far.part, 'upgrade to the versions in between first')
  }
  const parts = present.flatMap(({ part, program, version: ran }) =>
    program && program.release !== release ? [{ part, release: program.release, version: ran }] : [],
  )
  if (parts.length === 0) return { type: 'nothing' }
  return accepted({ type: 'UpgradeStarted', data: { upgrade, version, release, parts } })
}

/** True for versions of the same major version and at most one minor version apart; these are supported together. */
export function areNeighbours(one: string, other: string): boolean {
  const [major, minor] = numbers(one)
  const [otherMajor, otherMinor] = numbers(other)
  return major === otherMajor && Math.abs(minor - otherMinor) <= 1
}

function numbers(version: string): [number, number] {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? []
  return [Number(major ?? Number.NaN), Number(minor ?? Number.NaN)]
}
