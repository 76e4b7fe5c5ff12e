import { expect, it } from 'vitest'
import { filesAbility } from '../protocol/files.ts'
import type { MachineFeature } from '../agent/machineFeature.ts'
import { files } from './files.ts'
import type { Making } from './machineSide.ts'

/** Only these parts decide. */
const making = (root: Making['root'], supervisor: 'process' | 'systemd') =>
  ({ root, drivers: { supervisor, balancer: 'embedded', address: 'none' } }) as Making

it('are filled in on a laptop, and not where the privileged helper has the secrets', async () => {
  const helper = (() => Promise.reject(new Error('not called'))) as unknown as Making['root']
  expect(await files.drivers(making(null, 'process'))).toMatchObject({ files: { fillIn: expect.any(Function) } })
  expect(await files.drivers(making(helper, 'systemd'))).toEqual({ files: null })
  expect(await files.drivers(making(null, 'systemd'))).toEqual({ files: null })
})

it('are an ability that a machine which cannot fill them in does not report', async () => {
  const hang = await files.agent()
  const feature: MachineFeature = hang({ files: null }).make({} as never)
  expect(feature.lacks?.()).toEqual([filesAbility.name])
})
