import { driverPrograms } from '../definitions/driverKinds.ts'
import type { Finding } from '../protocol/checkup.ts'
import { wrong } from './findings.ts'
import type { ProgramVersion } from './machineFacts.ts'

const leastNode = '24.11'

export function judgePrograms(programs: ProgramVersion[]): Finding[] {
  return programs.flatMap(({ program, version }) => {
    if (version === null) return [wrong('versions', `${program} is not installed`, `install ${program}`)]
    const least = program === 'node' ? leastNode : driverPrograms[program].least
    if (compareVersions(version, least) >= 0) return []
    const what = `${program} ${version} is older than ${least}, the oldest version that Tandem works with`
    return [wrong('versions', what, `install ${program} ${least} or newer`)]
  })
}

/** An agent and its controller may differ by one minor version (see docs/operations.md). */
export function judgeAgentVersion(agent: string, controller: string): Finding[] {
  if (agent === controller) return []
  const [one, other] = [agent, controller].map((version) => version.split('.').slice(0, 2).map(Number))
  const isNear = one?.[0] === other?.[0] && Math.abs((one?.[1] ?? 0) - (other?.[1] ?? 0)) <= 1
  if (isNear) return []
  const what = `the agent has version ${agent}, the controller ${controller}: they are more than one minor version apart`
  return [wrong('versions', what, 'install the same version on both')]
}

/**
 * Compares versions as numbers, part by part; returns a value below, at or above 0. A part that is not a number counts
 * as 0.
 */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0))
  for (let index = 0; index < Math.max(a?.length ?? 0, b?.length ?? 0); index++) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
