import { generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, it } from 'vitest'
import { web, type Pushed } from '../system/rollUnderLoad.ts'
import { bootMs } from './sharedPair.ts'
import type { UpgradedPair } from './upgradedPair.ts'

interface Refused {
  error?: { code: string; next: string }
}

/** The installed program is that of the previous build. */
const newProgram = '/media/packages/new/bin/tandem'
const more = 'secrets:\n  database: db\nroutes: [{ host: vault.example }]\n'

/** Machine a joined with the previous build and was upgraded; b joined again with that build, and got this package. */
export const helperKeySuite = (lend: () => Promise<UpgradedPair>): void => {
  describe('secrets on machines that joined before there were any', () => {
    let upgraded: UpgradedPair
    beforeAll(async () => {
      upgraded = await lend()
    }, bootMs)

    it('reach them after one command as root, which the refusal names', async ({ skip }) => {
      skip(!upgraded.hasPrevious, 'this clone lacks the previous build')
      const { pair } = upgraded
      const { controller } = pair
      expect((await upgraded.upgrade('new')).exit).toBe(0)
      const recovery = `recovery: [${await identityToRecipient(await generateIdentity())}]\n`
      controller.write('/root/cluster.yaml', (await controller.must(['cat', '/root/cluster.yaml'])) + recovery)
      await controller.must([newProgram, 'cluster', 'apply', '/root/cluster.yaml', '--force'])
      await controller.must(['sh', '-c', `printf %s hunter2 | ${newProgram} secrets put vault/db password=-`])
      // The installed program does not know the key: it only writes the files here.
      await pair.push('vault', web({ name: 'vault', version: '1', more }))
      const push = () => pair.tandemOf<Pushed & Refused>(newProgram, ['push', '/srv/services/vault'])
      expect((await push()).error).toMatchObject({
        code: 'E_NO_HELPER_KEY',
        next: expect.stringMatching(/tandem machine add [ab] /),
      })
      for (const name of ['a', 'b']) {
        const { command } = await pair.tandemOf<{ command: string }>(newProgram, ['machine', 'add', name])
        const pids = await upgraded.pids()
        await pair.lab.machine(name).must(command.split(' '))
        await pair.until('ready')
        expect(await upgraded.pids()).toEqual(pids)
      }
      expect((await push()).rollout).toMatchObject({ state: 'completed' })
      for (const machine of upgraded.serving) {
        const curl = ['curl', '-sS', '-H', 'host: vault.example', `http://${machine.address}/secret?name=database`]
        expect(await machine.must(curl)).toBe('hunter2')
      }
      await pair.remove('vault')
    })
  })
}
