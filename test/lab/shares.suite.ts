import { armor, Decrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, it } from 'vitest'
import { web } from '../system/rollUnderLoad.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const [unit, data] = ['tandem-controller', '/var/lib/tandem-controller']
const word = (of: string): string => `word-${of}`
const more = ['secrets:', '  database: db', '  PASSWORD: { from: db#password, as: env }'].join('\n')
const definition = (version: string): string => web({ name: 'safe', version, more })

export const sharesSuite = (lend: () => Promise<Pair>): void => {
  describe('a root key in shares, and a pair', () => {
    let pair: Pair
    let recovery = ''
    const identities: string[] = []
    let shares: string[] = []
    const machine = (name: string): LabMachine => pair.lab.machine(name)

    const tandem = (...argv: string[]) => pair.controller.run(['tandem', ...argv])
    const unseal = (share: string | undefined) =>
      pair.controller.run(['tandem', 'secrets', 'unseal'], { input: share ?? '' })
    const put = (value: string, ...flags: string[]) =>
      pair.controller.run(['tandem', 'secrets', 'put', 'safe/db', 'password=-', ...flags], {
        input: value,
        timeoutMs: bootMs,
      })
    const get = (name: string, path: string): Promise<string> =>
      machine(name).must(['curl', '-sS', '--fail', '--max-time', '5', `http://${machine(name).address}${path}`])
    const known = async (name: string) => [
      await get(name, '/secret?name=database'),
      (JSON.parse(await get(name, '/env')) as Record<string, string>)['PASSWORD'],
    ]
    const everywhere = async (value: string): Promise<void> => {
      for (const name of ['a', 'b'])
        await expect
          .poll(() => known(name).catch((error: unknown) => String(error)), { timeout: bootMs })
          .toEqual([value, value])
    }

    beforeAll(async () => {
      pair = await lend()
      identities.push(...(await Promise.all(Array.from({ length: 3 }, () => generateIdentity()))))
      recovery = await identityToRecipient(identities[0] ?? '')
      await pair.applyCluster({ more: `recovery: [${recovery}]\nseal: { shares: 3, threshold: 2 }\n` })
    }, bootMs)

    it('make the key that is used: on no disk, and the values reach the machines', async () => {
      const holders = await Promise.all(identities.map(identityToRecipient))
      // Suites before this one may have made a key that the machine opens.
      const { out } = await tandem('secrets', 'status', '--json')
      const isFirst = (JSON.parse(out) as { rootKey: string | null }).rootKey === null
      const flags = holders.flatMap((holder) => ['--holder', holder])
      const made = await pair.tandem<{ shares: string[] }>('secrets', isFirst ? 'init' : 'rekey', ...flags)
      expect(made.err).toContain('the key is used once 2 holders have entered theirs')
      shares = await Promise.all(
        made.shares.map((share, at) => {
          const decrypter = new Decrypter()
          decrypter.addIdentity(identities[at] ?? '')
          return decrypter.decrypt(armor.decode(share), 'text')
        }),
      )
      expect((await unseal(shares[0])).out).toBe('1 of 2 shares entered; the key opens with the last one\n')
      expect((await unseal(shares[2])).out).toBe('the root key is open\n')
      const keys = await pair.controller.run(['sh', '-c', `ls ${data}/root-key ${data}/privileged/root-key.cred`])
      expect(keys.out).toBe('')
      expect((await put(word('one'))).code).toBe(0)
      await pair.roll('safe', definition('1'))
      await everywhere(word('one'))
    }, 120_000)

    it('sealed by a restart: machines lose power and serve again, and rollouts go on with the values there', async () => {
      await pair.controller.must(['systemctl', 'restart', unit])
      await pair.until('ready')
      expect((await put(word('two'))).err).toContain('0 of 2 shares were entered')
      await Promise.all(['a', 'b'].map((name) => machine(name).kill()))
      await Promise.all(['a', 'b'].map((name) => machine(name).boot()))
      await everywhere(word('one'))
      await pair.until('ready')
      await pair.roll('safe', definition('2'))
      await everywhere(word('one'))
      const sealed = await tandem('secrets', 'get', 'safe/db')
      expect([sealed.code, sealed.err]).toEqual([4, expect.stringContaining('E_SEALED')])
    }, 240_000)

    it('sealed and dead: machines lose power and serve again', async () => {
      await pair.controller.must(['systemctl', 'kill', '--signal=KILL', unit])
      await pair.controller.must(['systemctl', 'stop', unit])
      await Promise.all(['a', 'b'].map((name) => machine(name).kill()))
      await Promise.all(['a', 'b'].map((name) => machine(name).boot()))
      await everywhere(word('one'))
      await pair.controller.must(['systemctl', 'start', unit])
      await pair.until('ready')
      expect((await tandem('secrets', 'status')).out).toMatch(/^! sealed: /m)
    }, 240_000)

    it('unsealed by two of three: a new value is delivered; one share, or one twice, opens nothing', async () => {
      expect((await unseal(shares[1])).code).toBe(0)
      expect((await unseal(shares[1])).err).toContain('share 2 was given already')
      expect((await put(word('two'))).err).toContain('1 of 2 shares were entered')
      expect((await unseal(shares[0])).out).toBe('the root key is open\n')
      expect((await put(word('two'), '--roll')).code).toBe(0)
      await everywhere(word('two'))
    }, 120_000)

    it('come back from a backup, sealed, and open with the same shares', async () => {
      pair.controller.write('/root/recovery.txt', `${identities[0]}\n`, 0o600)
      await pair.controller.must(['tandem', 'secrets', 'backup', '/root/shares.age'])
      // In no backup: only the machines have it.
      expect((await put(word('three'), '--roll')).code).toBe(0)
      await pair.controller.must(['systemctl', 'stop', unit])
      await pair.controller.must(['rm', '-r', data])
      const restoring = ['tandem', 'secrets', 'restore', '/root/shares.age', '--identity', '/root/recovery.txt']
      expect(await pair.controller.must(restoring, { timeoutMs: bootMs })).toContain('the machines obey it')
      await pair.until('ready')
      expect((await tandem('secrets', 'get', 'safe/db')).err).toContain('0 of 2 shares were entered')
      await unseal(shares[2])
      expect((await unseal(shares[1])).out).toBe('the root key is open\n')
      expect((await tandem('secrets', 'get', 'safe/db', '--field', 'password')).out).toBe(word('two'))
      await everywhere(word('three'))
      const who = (await tandem('secrets', 'who', 'safe/db')).out
      expect(who.match(/^safe-\S+ on \w runs with version \d+/gm)?.map((line) => line.slice(-1))).toEqual(['3', '3'])
      expect((await put(word('four'), '--roll')).code).toBe(0)
      await everywhere(word('four'))
    }, 120_000)

    it('give the key back to the machine, which opens it after a restart', async () => {
      await pair.applyCluster({ more: `recovery: [${recovery}]\n` })
      await pair.controller.must(['tandem', 'secrets', 'rekey'])
      await pair.controller.must(['systemctl', 'restart', unit])
      await pair.until('ready')
      expect((await tandem('secrets', 'get', 'safe/db', '--field', 'password')).out).toBe(word('four'))
      await pair.controller.must(['rm', '/root/shares.age', '/root/recovery.txt'])
      await pair.remove('safe')
    }, 120_000)
  })
}
