import { generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, it } from 'vitest'
import { web, type Pushed } from '../system/rollUnderLoad.ts'
import { bootMs, withAddress } from './sharedPair.ts'
import type { UpgradedPair } from './upgradedPair.ts'

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
      const recovery = `recovery: [${await identityToRecipient(await generateIdentity())}]\n`
      await pair.applyCluster({ more: `${withAddress.more ?? ''}${recovery}` })
      await controller.must(['sh', '-c', 'printf %s hunter2 | tandem secrets put vault/db password=-'])
      const push = () => pair.push('vault', web({ name: 'vault', version: '1', more }))
      const refused = (await push()) as Pushed & { error?: { code: string; next: string } }
      expect(refused.error).toMatchObject({
        code: 'E_NO_HELPER_KEY',
        next: expect.stringContaining('tandem machine add a'),
      })
      for (const name of ['a', 'b']) {
        const { command } = await pair.tandem<{ command: string }>('machine', 'add', name)
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
