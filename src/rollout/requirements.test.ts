import { describe, expect, it } from 'vitest'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import type { Definition } from '../definitions/definition.ts'
import { deploy, restart, rollback } from '../decider/testing/given.ts'
import { World } from '../decider/testing/world.ts'
import type { Decision } from '../decision/refuse.ts'
import type { RequirementFacts } from '../protocol/requirements.ts'
import { requirements } from './requirements.ts'
import type { Answered } from './rolloutFeature.ts'

const has = (over: Partial<RequirementFacts> = {}): RequirementFacts => ({
  ...{ missingCommands: [], missingPackages: [], architecture: 'amd64', cannotJail: null },
  ...{ memoryBytes: 8 * 1024 ** 3, diskBytes: 100 * 1024 ** 3 },
  ...over,
})
const requires: Definition['requires'] = {
  ...{ commands: ['psql'], packages: ['postgresql-15>=15.4'], architecture: 'amd64' },
  ...{ memoryBytes: 2 * 1024 ** 3, diskBytes: 10 * 1024 ** 3 },
}

function push(world: World, release: string, answered: Answered, over: Partial<Definition> = {}): Decision {
  world.publish(release, aDefinition({ requires, ...over }))
  const decision = world.send({ ...deploy(release)(world), answered } as never)
  world.settle()
  return decision
}

const servers = (): World => new World(['a', 'b'], undefined, { cluster: 'production', laptop: false })
const refused = { type: 'refused', code: 'E_REQUIREMENTS', subject: 'shop' }

describe('a rollout to machines that lack something', () => {
  it('is refused before it begins, and names each machine with what it lacks', () => {
    const world = servers()
    const b = has({
      missingCommands: ['psql'],
      missingPackages: [{ wanted: 'postgresql-15>=15.4', installed: '15.3-0+deb12u1' }],
    })
    expect(push(world, 'r1', { a: has(), b })).toMatchObject({
      ...refused,
      message: 'machine b lacks the program psql; machine b has postgresql-15 15.3-0+deb12u1, not postgresql-15>=15.4',
    })
    expect(world.log.map(({ type }) => type)).not.toContain('RolloutStarted')
  })

  it('shows the command that installs it, with the text of its script', () => {
    const lacks = has({
      missingPackages: [{ wanted: 'postgresql-15>=15.4', installed: null }],
      missingCommands: ['psql'],
    })
    expect(push(servers(), 'r1', { a: lacks, b: lacks })).toMatchObject({
      ...refused,
      next:
        "printf '%s\\n' '#!/bin/sh' 'set -e' 'apt-get update' 'DEBIAN_FRONTEND=noninteractive apt-get install -y postgresql-client postgresql-15' > install.sh" +
        ' && tandem machine patch a --script install.sh --no-reboot && tandem machine patch b --script install.sh --no-reboot',
    })
  })

  it('is refused for another processor, and for a jail that the kernel cannot hold', () => {
    const cannotJail = 'cannot restrict a service to addresses: that needs a newer kernel'
    const b = has({ architecture: 'arm64', cannotJail })
    expect(push(servers(), 'r1', { a: has(), b })).toMatchObject({
      ...refused,
      message: `machine b is arm64, not amd64; machine b ${cannotJail}`,
      next: 'change `requires` or `machines` in the tandem.yaml of shop, or the machine',
    })
  })

  it('is refused where too little memory or disk is left, but not where the service runs already', () => {
    const world = servers()
    const full = has({ memoryBytes: 1.25 * 1024 ** 3, diskBytes: 500 * 1024 ** 2 })
    expect(push(world, 'r1', { a: has(), b: full })).toMatchObject({
      message: 'machine b has 1.2G of memory left, not 2G; machine b has 500M of disk left, not 10G',
    })
    expect(push(world, 'r1', { a: has(), b: has() })).toMatchObject({ type: 'accepted' })
    expect(push(world, 'r2', { a: full, b: full })).toMatchObject({ type: 'accepted' })
  })

  it('is accepted where the machine does not run the release, did not answer, or was not asked', () => {
    const b = has({ missingCommands: ['psql'] })
    expect(push(servers(), 'r1', { a: has(), b }, { machines: ['a'] })).toMatchObject({ type: 'accepted' })
    expect(push(servers(), 'r1', { a: has(), b: null })).toMatchObject({ type: 'accepted' })
    expect(push(servers(), 'r1', {})).toMatchObject({ type: 'accepted' })
  })

  it('is not refused when it restarts a release or goes back to it: that gets a warning', () => {
    const world = servers()
    push(world, 'r1', { a: has(), b: has() })
    push(world, 'r2', { a: has(), b: has() })
    const answered = { a: has({ missingCommands: ['psql'] }), b: null }
    for (const request of [restart(), rollback()]) {
      expect(world.send({ ...request(world), answered } as never)).toMatchObject({ type: 'accepted' })
      world.settle()
    }
    const about = { service: 'shop', kind: 'rollback', release: 'r1' } as const
    expect(requirements.warnings?.(world.state, about, answered)).toEqual([
      'machine a lacks the program psql, which shop requires',
      'machine b did not say whether it has all that shop requires',
    ])
  })

  it('on a laptop names what to install, and warns where there is no dpkg', () => {
    const world = new World(['a'])
    expect(push(world, 'r1', { a: has({ missingCommands: ['/usr/bin/java'] }) })).toMatchObject({
      ...refused,
      next: 'install on this computer: default-jre-headless',
    })
    const answered = { a: has({ missingPackages: null }) }
    expect(push(world, 'r1', answered)).toMatchObject({ type: 'accepted' })
    expect(requirements.warnings?.(world.state, { service: 'shop', kind: 'deploy', release: 'r1' }, answered)).toEqual([
      'machine a has no dpkg: the packages that shop requires are not checked',
    ])
  })
})
