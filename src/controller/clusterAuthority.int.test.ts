import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { certificateDays, ClusterAuthority } from './clusterAuthority.ts'
import { makeFolder } from './testing/given.ts'

it("retries the renewal of the controller's certificate when the certificate could not be written", async () => {
  const folder = makeFolder('authority')
  onTestFinished(() => folder.remove())
  const now = Date.now()
  await ClusterAuthority.create(folder.path, { cluster: 'shop', addresses: ['127.0.0.1'], now })
  const authority = ClusterAuthority.open(folder.path)
  if (!authority) throw new Error('no authority was made')
  const shown = authority.identity
  const due = now + (certificateDays / 2) * 86_400_000
  const identity = join(folder.path, 'identity')
  renameSync(identity, `${identity}.aside`)
  writeFileSync(identity, 'no folder')
  await expect(authority.renewOwn(due)).rejects.toThrow('EEXIST')
  expect(authority.identity).toEqual(shown)
  rmSync(identity)
  renameSync(`${identity}.aside`, identity)
  expect(await authority.renewOwn(due)).toBe(true)
  expect(authority.identity).not.toEqual(shown)
  expect(ClusterAuthority.open(folder.path)?.identity.certificate.trim()).toBe(authority.identity.certificate.trim())
})
