import { expect, it } from 'vitest'
import { filesAbility } from '../protocol/files.ts'
import type { MachineFeature } from '../agent/machineFeature.ts'
import { files } from './files.ts'
import type { Making } from './machineSide.ts'

/** Only these parts decide. */
const making = (root: Making['root'], supervisor: 'process' | 'systemd') =>
  ({ root, drivers: { supervisor, balancer: 'embedded', address: 'none' } }) as Making

it('are filled in by the agent of a laptop, by the privileged helper of a server, and not by an agent that is root', async () => {
  const helper = (() => Promise.reject(new Error('not called'))) as unknown as Making['root']
  expect(await files.drivers(making(null, 'process'))).toMatchObject({ files: { fillIn: expect.any(Function) } })
  const asked = { service: 'shop', generation: 'r1', order: null, request: {} as never }
  const { files: remote } = await files.drivers(making(helper, 'systemd'))
  await expect(remote?.fillIn(asked)).rejects.toThrow('the controller has not signed the files of shop')
  expect(await files.drivers(making(null, 'systemd'))).toEqual({ files: null })
})

it('are an ability that a machine which cannot fill them in does not report', async () => {
  const hang = await files.agent()
  const feature: MachineFeature = hang({ files: null }).make({} as never)
  expect(feature.lacks?.()).toEqual([filesAbility.name])
})
