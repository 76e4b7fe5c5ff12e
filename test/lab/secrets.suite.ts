import { generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, it } from 'vitest'
import { web } from '../system/rollUnderLoad.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const [unit, data] = ['tandem-controller', '/var/lib/tandem-controller']
const sealedKey = `${data}/privileged/root-key.cred`
const word = 'needle-of-the-lab'

export const secretsSuite = (lend: () => Promise<Pair>): void => {
  describe('secrets on the controller of a pair', () => {
    let pair: Pair
    let machine: LabMachine
    beforeAll(async () => {
      pair = await lend()
      machine = pair.controller
      const identity = await generateIdentity()
      machine.write('/root/recovery.txt', `# a key\n${identity}\n`, 0o600)
      await pair.applyCluster({ more: `recovery: [${await identityToRecipient(identity)}]\n` })
      await pair.roll('web', web({ name: 'web', version: '1' }))
    }, bootMs)

    const put = (value: string) =>
      machine.must(['sh', '-c', `printf %s ${value} | tandem secrets put shop/db password=-`])
    const get = () => machine.run(['tandem', 'secrets', 'get', 'shop/db', '--field', 'password'])
    const restart = async (): Promise<void> => {
      await machine.must(['systemctl', 'restart', unit])
      await pair.until('ready')
    }

    it('are open after a restart without a person; their root key is sealed with the key of the machine', async () => {
      expect(await put(word)).toBe('stored shop/db, version 1\n')
      await restart()
      expect((await get()).out).toBe(word)
      expect(await machine.must(['stat', '-c', '%U %a', sealedKey])).toBe('root 600\n')
      expect((await machine.run(['grep', '-r', '-l', word, data])).out).toBe('')
      expect((await machine.run(['grep', '-r', '-l', 'shop/db', data])).out).toContain('controller.db')
      expect((await machine.run(['journalctl', '-u', unit, '--grep', word])).out).not.toContain(word)
    })

    it('say that they are sealed when the key of the machine is another; the controller runs on', async () => {
      const secret = '/var/lib/systemd/credential.secret'
      await machine.must(['cp', '-a', secret, '/root/credential.secret'])
      await machine.must(['sh', '-c', `rm ${secret} && systemd-creds setup`])
      await restart()
      const sealed = await get()
      expect([sealed.code, sealed.err]).toEqual([4, expect.stringContaining('E_SEALED')])
      expect((await machine.must(['tandem', 'secrets', 'status'])).split('\n')[1]).toContain('sealed: ')
      await pair.roll('web', web({ name: 'web', version: '2' }))
      await machine.must(['sh', '-c', `cat /root/credential.secret > ${secret}`])
      await restart()
      expect((await get()).out).toBe(word)
    })

    it('come back from a backup when the disk of the controller is lost; services do not notice', async () => {
      await put(`${word}-2`)
      await machine.must(['sh', '-c', `printf %s ${word}-3 | tandem secrets put web/token token=-`])
      expect(await machine.must(['tandem', 'secrets', 'backup', '/root/lab.age'])).toContain('wrote /root/lab.age')
      expect(await machine.must(['stat', '-c', '%U %a', '/root/lab.age'])).toBe('root 600\n')
      const pids = async (): Promise<string[]> =>
        Promise.all(
          ['a', 'b'].map((name) =>
            pair.lab.machine(name).must(['sh', '-c', "systemctl show -P MainPID 'tandem-web-*.service'"]),
          ),
        )
      // The machines have seen what the backup does not know: a release with a secret.
      await pair.roll('web', web({ name: 'web', version: '3', more: 'secrets: { token: token }' }))
      const before = await pids()
      await machine.must(['systemctl', 'stop', unit])
      await machine.must(['rm', '-r', data])
      const restored = await machine.must([
        'tandem',
        'secrets',
        'restore',
        '/root/lab.age',
        '--identity',
        '/root/recovery.txt',
      ])
      expect(restored).toContain('the controller runs as tandem-controller.service, and the machines obey it')
      await pair.until('ready')
      expect((await get()).out).toBe(`${word}-2`)
      await restart()
      expect((await get()).out).toBe(`${word}-2`)
      // The helper has sealed the key, and the plain one of the backup is gone.
      expect((await machine.run(['test', '-e', `${data}/root-key`])).code).toBe(1)
      expect(await machine.must(['stat', '-c', '%U %a', sealedKey])).toBe('root 600\n')
      expect(await pids()).toEqual(before)
      expect((await pair.tandem('restart', 'web')).exit).toBe(0)
      expect(await pids()).not.toEqual(before)
      for (const { address } of ['a', 'b'].map((name) => pair.lab.machine(name)))
        expect(await machine.must(['curl', '-sS', `http://${address}/secret?name=token`])).toBe(`${word}-3`)
      await pair.roll('web', web({ name: 'web', version: '4' }))
    })
  })
}
