import { execFileSync } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { describeFolder } from './describeFolder.ts'
import { readGetcap } from './fileCapabilities.ts'
import { definition, makeTestFolder, writeFiles } from './releaseFixture.ts'
import { removeTree } from './removeTree.ts'

it('parses the output of getcap, of current and earlier versions', () => {
  const text = '/r/a b cap_net_bind_service,cap_net_raw=ep\n/r/old = cap_chown+ep\n/r/all =ep\n/other/x cap_kill=p\n\n'
  expect([...readGetcap(text, '/r')]).toEqual([
    ['a b', ['CAP_NET_BIND_SERVICE', 'CAP_NET_RAW']],
    ['old', ['CAP_CHOWN']],
    ['all', []],
  ])
})

// Only root can set file capabilities, with the program for it, on a disk that keeps them.
const mayBeSet = process.getuid?.() === 0 && process.platform === 'linux'

it.skipIf(!mayBeSet)('names a file with capabilities, unless the definition grants them', async () => {
  const root = await makeTestFolder()
  onTestFinished(() => removeTree(root))
  await writeFiles(root, { 'bin/my server': 'x', 'bin/plain': 'x', data: 'x' })
  const file = join(root, 'bin/my server')
  for (const name of ['bin/my server', 'bin/plain']) await chmod(join(root, name), 0o755)
  execFileSync('setcap', ['cap_net_bind_service=ep', file], {
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  })
  const { warnings } = await describeFolder(root, { definition })
  expect(warnings).toEqual([
    'bin/my server has file capabilities, which a release does not keep: name the capabilities that it needs in tandem.yaml, jail: { capabilities: [CAP_NET_BIND_SERVICE] }',
  ])
  const jail = { capabilities: ['CAP_NET_BIND_SERVICE'] }
  expect((await describeFolder(root, { definition: { ...definition, jail } })).warnings).toEqual([])
})
