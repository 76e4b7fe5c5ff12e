import { expect, it } from 'vitest'
import type { InstanceSpec } from '../supervisor.ts'
import { besideText, type BesideSpec } from './besideText.ts'
import { jailLines } from './jailLines.ts'
import { readRecordOf } from './unitFiles.ts'
import { unitText } from './unitText.ts'

const limits = { memoryBytes: 1024 * 1024, cpu: 1.5, tasks: 200, bodyBytes: null }
const instance: InstanceSpec = {
  ...{ id: 'shop-1', service: 'shop', release: 'r1', argv: ['node'], cwd: '/var/lib/tandem/cache/trees/r1', limits },
  ...{ env: { PORT: '18001' }, stop: { signal: 'SIGTERM', withinMs: 10_000 }, jail: { write: ['/srv/files'] } },
}
const beside: BesideSpec = {
  ...instance,
  ...{ id: 'shop-access-k3', argv: ['bash', '-c', 'echo 100%'], once: true, attached: true },
  ...{
    stop: { signal: 'SIGHUP', withinMs: 2_000 },
    beside: { instance: 'shop-1', env: { TANDEM_ACCESS: 'shop-access-k3' } },
  },
}

it('is a one-off unit with the jail and the environment of the instance, and streams and an end of its own', () => {
  const places = { executable: '/usr/bin/node', environmentFile: '/e/shop-1.env', hidden: [], hasRestartSteps: true }
  const text = besideText(beside, unitText(instance, places), {
    executable: '/bin/bash',
    environmentFile: '/e/own.env',
  })
  const lines = text.split('\n')
  expect(lines).toEqual(expect.arrayContaining(jailLines(instance.jail ?? {}, { memoryBytes: limits.memoryBytes })))
  expect(lines).toEqual(
    expect.arrayContaining([
      ...['JoinsNamespaceOf=tandem-shop-1.service', 'ExecStart=:"/bin/bash" "-c" "echo 100%%"', 'MemoryMax=1048576'],
      ...['Restart=no', 'RemainAfterExit=yes', 'TimeoutStopSec=2000ms'],
      'StandardInput=file:/run/tandem-streams/tandem-shop-access-k3/in',
    ]),
  )
  expect(lines.filter((line) => line.startsWith('EnvironmentFile='))).toEqual([
    'EnvironmentFile=/e/own.env',
    'EnvironmentFile=/e/shop-1.env',
  ])
  expect(readRecordOf('tandem-shop-access-k3.service', text)).toMatchObject({
    ...{ service: 'shop', id: 'shop-access-k3', once: true, signal: 'SIGHUP', withinMs: 2_000 },
  })
})
