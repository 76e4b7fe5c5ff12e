import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

interface Refused {
  error?: { code: string; message: string; next: string | null }
  hint?: string
}

const folder = '/var/log/insists'
const insists = (more: string): string =>
  `service: insists\nrun: ["sh", "-c", "echo x >${folder}/log && exec sleep 1000"]\nlisten: none\nhealth: { within: 2s, settle: 500ms }\n${more}\n`

/** The conditions of a service on a machine: checked before a rollout, and named after one that failed. */
export const jailSuite = (lend: () => Promise<Pair>): void => {
  describe('a service that needs more than a machine gives', () => {
    let pair: Pair
    const push = (more: string): Promise<Refused & { exit: number }> => pair.push('insists', insists(more))

    beforeAll(async () => void (pair = await lend()), bootMs)
    afterAll(async () => {
      if ((await pair.status()).services.some(({ service }) => service === 'insists')) await pair.remove('insists')
    })

    it('is refused before anything is fetched, with the packages that the machines lack', async () => {
      const { exit, error } = await push(
        'requires: { packages: ["systemd>=1000", no-such-package], commands: [systemctl] }',
      )
      expect([exit, error?.code]).toEqual([4, 'E_REQUIREMENTS'])
      for (const name of ['a', 'b']) {
        expect(error?.message).toMatch(new RegExp(`machine ${name} has systemd 2\\d\\d\\S*, not systemd>=1000`))
        expect(error?.message).toContain(`machine ${name} lacks the package no-such-package`)
        expect(error?.next).toContain(`tandem machine patch ${name} --script install.sh`)
      }
    })

    it('fails with a hint that names the folder and the key, and runs with that key', async () => {
      const failed = await push('')
      expect(failed.exit).toBe(1)
      expect(failed.hint).toContain(`write jail: { scratch: [${folder}] } into tandem.yaml`)
      await pair.roll('insists', insists(`jail: { scratch: [${folder}] }\nrequires: { packages: ["systemd>=252"] }`))
      const { out } = await pair.lab.machine('a').run(['ls', '-A', folder])
      expect(out).toBe('')
    })
  })
}
